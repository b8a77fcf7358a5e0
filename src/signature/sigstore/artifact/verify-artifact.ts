import { defined } from "../../../text/fields.ts";
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

/** A key that may have signed. */
export type SigningKey = Pick<TrustedKey, "fingerprint" | "key">;

/** Trust for an artifact's signature. */
export interface ArtifactTrust<Key extends SigningKey = TrustedKey> {
  /** Keys to try for bundles signed by a key, whatever its hint. A caller that goes by hints passes one key. */
  readonly keys: readonly Key[];
  readonly sigstore: readonly SigstoreRoot[];
  /**
   * `ifPresent`: a key's signature counts also without log entry and timestamp, but each present one must verify. A
   * certificate's signature always needs the proof that the trusted root requires.
   */
  readonly log?: "required" | "ifPresent";
}

/** Signer of an artifact. */
export type ArtifactSigner<Key extends SigningKey = TrustedKey> =
  { readonly kind: "key"; readonly key: Key } | KeylessSigner;

export type ArtifactVerdict<Key extends SigningKey = TrustedKey> =
  | {
      readonly outcome: "proved";
      readonly signer: ArtifactSigner<Key>;
      /**
       * Fingerprints of the Sigstore roots that proved it. Empty: a key's signature without log entry and timestamp.
       */
      readonly roots: readonly string[];
      /** Proved time of signing, milliseconds since 1970; absent if none is proved. */
      readonly signedAt?: number;
      /** The statement, if one was signed. */
      readonly statement?: Statement;
    }
  | {
      readonly outcome: "refused";
      readonly refusal: SignatureError;
      /** Whether the signature verifies under the bundle's certificate, or under one of the keys. */
      readonly selfConsistent: boolean;
      readonly signer?: ArtifactSigner<Key>;
    };

/** Limit of keys tried for a digest alone, which JavaScript verifies in milliseconds. */
const maxTriedDigests = 8;

interface Question<Key extends SigningKey> {
  readonly claimed: ClaimedSignature;
  readonly trust: ArtifactTrust<Key>;
  readonly now: number;
  readonly statement?: Statement;
}

/** Asserts that the digest stated in a message's bundle, otherwise only a hint, is the artifact's. */
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

/** Selects the keys to try: Ed25519 verifies bytes only, not digests. */
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
    ...defined({ signedAt, statement }),
  };
}

/**
 * Verifies an artifact's signature in a Sigstore bundle, by the artifact's bytes or its SHA-256 alone: the signature,
 * its key or certificate, and by each trusted root the log entries and the time. The caller decides whether to accept
 * the identity and the statement.
 * @param now milliseconds since 1970, at which logs must be trusted if a key's signature states no time
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
