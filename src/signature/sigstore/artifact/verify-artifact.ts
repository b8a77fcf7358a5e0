import { inTotoPayloadType, preAuthEncoding } from "../dsse.ts";
import { isEd25519 } from "../../ed25519.ts";
import { SignatureError, unsupported } from "../../signature-error.ts";
import { quoted } from "../../../text/printable.ts";
import type { SigstoreRoot } from "../root/sigstore-root.ts";
import { triedKeys, type TrustedKey } from "../../trusted-key.ts";
import { artifactDigest, isSignedBy, type Artifact } from "../artifact.ts";
import type { ArtifactBundle } from "./bundle.ts";
import { verifyByIdentity, type ClaimedSignature, type KeylessSigner } from "../keyless.ts";
import { earliest, proofsOf } from "../log/proofs.ts";
import { assertSubject, readStatement, type Statement } from "./statement.ts";
import { toSubject } from "../log/subject.ts";

/** A key that signatures may be checked with. */
export type SigningKey = Pick<TrustedKey, "fingerprint" | "key">;

/** By whom an artifact's signature may be, and by what it is proved. */
export interface ArtifactTrust<Key extends SigningKey = TrustedKey> {
  /**
   * Tried for bundles that were signed by a key, one after the other; what the bundle calls its key is not looked at. A
   * caller who goes by that name gives one key.
   */
  readonly keys: readonly Key[];
  readonly sigstore: readonly SigstoreRoot[];
  /**
   * `ifPresent`: a key's signature counts also where its bundle has neither log entry nor timestamp. Each that it has must
   * be right nevertheless. A certificate's always needs what the trusted root asks for.
   */
  readonly log?: "required" | "ifPresent";
}

/** Who signed an artifact. */
export type ArtifactSigner<Key extends SigningKey = TrustedKey> =
  { readonly kind: "key"; readonly key: Key } | KeylessSigner;

export type ArtifactVerdict<Key extends SigningKey = TrustedKey> =
  | {
      readonly outcome: "proved";
      readonly signer: ArtifactSigner<Key>;
      /** Fingerprints of the Sigstore roots by which it was proved. Empty where a key's signature had nothing to prove. */
      readonly roots: readonly string[];
      /** When it was signed, milliseconds since 1970; absent where nobody but the key's owner says so. */
      readonly signedAt?: number;
      /** Where a statement was signed: what kind, and about what. */
      readonly statement?: Statement;
    }
  | {
      readonly outcome: "refused";
      readonly refusal: SignatureError;
      /** Is the signature valid under the key that the bundle brings, or under one of the keys. */
      readonly selfConsistent: boolean;
      readonly signer?: ArtifactSigner<Key>;
    };

/** A digest alone is checked in JavaScript, which takes milliseconds. */
const maxTriedDigests = 8;

interface Question<Key extends SigningKey> {
  readonly claimed: ClaimedSignature;
  readonly trust: ArtifactTrust<Key>;
  readonly now: number;
  readonly statement?: Statement;
}

/** What a message's bundle says that it was made over is a hint, but it must not be another artifact's. */
function assertDigest({ content }: ArtifactBundle, artifact: Artifact): void {
  if (content.kind !== "message") return;
  const { name, value } = content.digest;
  if (artifactDigest(artifact, name).equals(value)) return;
  throw new SignatureError("BAD_SIGNATURE", "the signature is of another artifact: its digest differs");
}

function readQuestion<Key extends SigningKey>(
  bundle: ArtifactBundle,
  artifact: Artifact,
  trust: ArtifactTrust<Key>,
  now: number,
): Question<Key> {
  const { content, signature, proof } = bundle;
  assertDigest(bundle, artifact);
  if (content.kind === "message") return { claimed: { signature, signed: artifact, proof }, trust, now };
  const { payload } = content;
  const statement = readStatement(payload);
  assertSubject(statement, artifactDigest(artifact, "sha256").toString("hex"));
  const signed = { bytes: preAuthEncoding(inTotoPayloadType, payload) };
  const envelope = { payloadType: inTotoPayloadType, payload };
  return { claimed: { signature, signed, envelope, proof }, trust, now, statement };
}

/** The keys that can be tried at all: Ed25519 signs bytes, not digests. */
function candidatesOf<Key extends SigningKey>({ claimed: { signed }, trust: { keys } }: Question<Key>) {
  if ("bytes" in signed) return triedKeys(keys, signed.bytes.byteLength);
  const usable = keys.filter(({ key }) => !isEd25519(key));
  if (usable.length === 0 && keys.length > 0)
    throw unsupported("an Ed25519 signature is over the artifact itself; its digest alone cannot be checked");
  return usable.slice(0, maxTriedDigests);
}

function signingKey<Key extends SigningKey>(question: Question<Key>, hint?: string): Key {
  const { claimed, trust } = question;
  const named = hint === undefined ? "" : ` (hint ${quoted(hint)})`;
  const key = candidatesOf(question).find((tried) =>
    isSignedBy(tried.key, claimed.signed, claimed.signature),
  );
  if (key !== undefined) return key;
  throw trust.keys.length === 1
    ? new SignatureError(
        "BAD_SIGNATURE",
        `the signature${named} is not the trusted key's: the artifact was changed, or another key signed`,
      )
    : new SignatureError(
        "UNTRUSTED_SIGNER",
        `it was signed by a key${named} that is none of the ${trust.keys.length} trusted keys`,
      );
}

function verifyByKey<Key extends SigningKey>(question: Question<Key>, hint?: string): ArtifactVerdict<Key> {
  const { claimed, trust, now, statement } = question;
  const signer = { kind: "key", key: signingKey(question, hint) } as const;
  const about = statement === undefined ? {} : { statement };
  const logOptional = trust.log === "ifPresent";
  const { entries, timestamps } = claimed.proof;
  if (logOptional && entries.length + timestamps.length === 0)
    return { outcome: "proved", signer, roots: [], ...about };
  try {
    const subject = toSubject({ ...claimed, by: { key: signer.key.key, logOptional } });
    const result = proofsOf(subject, trust.sigstore, now);
    if ("refusal" in result) throw result.refusal;
    const roots = result.proofs.map(({ root }) => root.fingerprint);
    return { outcome: "proved", signer, roots, ...earliest(result.proofs), ...about };
  } catch (refusal) {
    if (!(refusal instanceof SignatureError)) throw refusal;
    return { outcome: "refused", refusal, selfConsistent: true, signer };
  }
}

function verifyByCertificate<Key extends SigningKey>(
  { claimed, trust, statement }: Question<Key>,
  certificates: readonly string[],
): ArtifactVerdict<Key> {
  const { signer, refusal, selfConsistent } = verifyByIdentity(certificates, claimed, trust.sigstore);
  if (refusal !== undefined) return { outcome: "refused", refusal, selfConsistent, signer };
  const { roots, signedAt } = signer;
  return {
    outcome: "proved",
    signer,
    roots,
    ...(signedAt === undefined ? {} : { signedAt }),
    ...(statement === undefined ? {} : { statement }),
  };
}

/**
 * Verifies an artifact's signature in a Sigstore bundle, by its bytes or by its SHA-256 alone: the signature, whose key or
 * certificate made it, and by each trusted root the log entries and the time. Whether that identity is wanted, and what a
 * statement says, is for the caller to judge.
 * @param now milliseconds since 1970, at which logs have to be trusted where a key's signature states no time
 */
export function verifyArtifact<Key extends SigningKey = TrustedKey>(
  bundle: ArtifactBundle,
  artifact: Artifact,
  trust: ArtifactTrust<Key>,
  now: number,
): ArtifactVerdict<Key> {
  try {
    const question = readQuestion(bundle, artifact, trust, now);
    return bundle.material.kind === "publicKey"
      ? verifyByKey(question, bundle.material.hint)
      : verifyByCertificate(question, bundle.material.certificates);
  } catch (refusal) {
    if (!(refusal instanceof SignatureError)) throw refusal;
    return { outcome: "refused", refusal, selfConsistent: false };
  }
}
