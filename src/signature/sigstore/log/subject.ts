import { hash, type KeyObject } from "node:crypto";
import type { Certificate } from "../../x509/certificate.ts";
import { keyDer } from "../../key.ts";
import { SignatureError } from "../../signature-error.ts";
import { artifactDigest, type Artifact } from "../artifact.ts";
import { readLogBody, type LoggedSignature } from "./body.ts";
import type { LogProof } from "./entry.ts";

/** A signature, with the log entries and timestamps of its bundle. */
export interface SignedSubject {
  readonly signature: Uint8Array;
  /** The signed artifact: a message, or an envelope's pre-authentication encoding. */
  readonly signed: Artifact;
  /** The envelope, if there is one: some log entries are about its payload alone. */
  readonly envelope?: { readonly payloadType: string; readonly payload: Uint8Array };
  /** The signer's certificate or key. A trusted key may do without a log if the caller permits it. */
  readonly by:
    { readonly certificate: Certificate } | { readonly key: KeyObject; readonly logOptional?: boolean };
  readonly proof: LogProof;
  /** Parsed bodies of the proof's entries, in their order. */
  readonly logged: readonly LoggedSignature[];
}

/**
 * Reads the log entries of a signature.
 * @throws SignatureError if an entry is unreadable, or about another certificate or key than the signer's
 */
export function toSubject(signature: Omit<SignedSubject, "logged">): SignedSubject {
  const logged = signature.proof.entries.map(readLogBody);
  for (const entry of logged) assertVerifier(entry, signature.by);
  return { ...signature, logged };
}

function assertVerifier({ verifier }: LoggedSignature, by: SignedSubject["by"]): void {
  const [kind, der] =
    "certificate" in by
      ? (["certificate", by.certificate.x509.raw] as const)
      : (["key", keyDer(by.key)] as const);
  if (verifier.kind === kind && verifier.der.equals(der)) return;
  const message = `the log entry is about another ${verifier.kind} than the signer's`;
  throw new SignatureError("BAD_SIGNATURE", message);
}

function digestLogged({ signed, envelope }: SignedSubject, { of, digest }: LoggedSignature): Buffer {
  if (of === "signed") return artifactDigest(signed, digest.name);
  // A message has no payload: an entry about one is about something else.
  return envelope === undefined ? Buffer.alloc(0) : hash(digest.name, envelope.payload, "buffer");
}

/**
 * Asserts that all log entries are about this signature, over these bytes.
 * @throws SignatureError UNTRUSTED_SIGNER
 */
export function assertLogged(subject: SignedSubject): void {
  for (const entry of subject.logged) {
    const { signature, digest, payloadType } = entry;
    if (!signature.equals(subject.signature))
      throw new SignatureError("UNTRUSTED_SIGNER", "the log entry is about another signature");
    const typed = payloadType === undefined || payloadType === subject.envelope?.payloadType;
    if (!typed || !digestLogged(subject, entry).equals(digest.value))
      throw new SignatureError(
        "UNTRUSTED_SIGNER",
        "the log entry is about another digest than what was signed",
      );
  }
}
