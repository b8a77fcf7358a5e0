import type { SignatureBundle, VerificationMaterial } from "./bundle.ts";
import { certificateTwins } from "../x509/certificate-twin.ts";
import type { Certificate } from "../x509/certificate.ts";
import { keyFingerprint } from "../key.ts";
import { quoted, SignatureError } from "../signature-error.ts";
import type { Signer } from "../signature-evidence.ts";
import type { SigstoreRoot, TrustMaterial } from "../trust-material.ts";
import { isSignedBy } from "./artifact.ts";
import { readIdentity } from "./identity/identity.ts";
import { issuersAbove } from "./root/issuers.ts";
import { assertMaySignCode, readLeaf } from "./identity/leaf.ts";
import { earliest, proofsOf, unprovedBy } from "./log/proofs.ts";
import { toSubject, type SignedSubject } from "./log/subject.ts";

type KeylessMaterial = Extract<VerificationMaterial, { kind: "keyless" }>;
type KeylessSigner = Extract<Signer, { kind: "keyless" }>;

/** A keyless signature: who claims to have made it, and why that is not proved, if it is not. */
export interface KeylessVerdict {
  readonly signer: KeylessSigner;
  readonly refusal?: SignatureError;
  /** Is the signature valid under the key that the bundle brings. */
  readonly selfConsistent: boolean;
}

/** A signature by the key of a certificate, before anything is known of it. */
export type ClaimedSignature = Omit<SignedSubject, "by" | "logged">;

function readSigned(leaf: Certificate, claimed: ClaimedSignature): SignedSubject {
  assertMaySignCode(leaf);
  if (!isSignedBy(leaf.publicKey, claimed.signed, claimed.signature)) {
    const what = claimed.envelope === undefined ? "the artifact" : "the signed list";
    throw new SignatureError(
      "BAD_SIGNATURE",
      `the signature does not match ${what}: one of them was changed, or another key signed`,
    );
  }
  return toSubject({ ...claimed, by: { certificate: leaf } });
}

function provedBy(
  signer: KeylessSigner,
  leaf: Certificate,
  subject: SignedSubject,
  roots: readonly SigstoreRoot[],
): KeylessVerdict {
  const result = proofsOf(subject, roots);
  const seen = { ...signer, ...unprovedBy(result.refusals) };
  if ("refusal" in result) {
    const who = `${quoted(signer.identity)} (${quoted(signer.issuer)})`;
    const { code, message } = result.refusal;
    const refusal = new SignatureError(code, `signed by ${who}, which is not proved: ${message}`);
    return { signer: seen, refusal, selfConsistent: true };
  }
  const { proofs } = result;
  const above = proofs.flatMap(({ root }) => issuersAbove(leaf, root));
  const proved: KeylessSigner = {
    ...seen,
    roots: proofs.map(({ root }) => root.fingerprint),
    issuers: [...new Set(above.map(({ fingerprint }) => fingerprint))],
    issuerKeys: [...new Set(above.map(({ publicKey }) => keyFingerprint(publicKey)))],
    twins: certificateTwins(leaf.x509.raw, leaf.fingerprint),
    ...earliest(proofs),
  };
  return { signer: proved, selfConsistent: true };
}

/**
 * Checks a signature by a certificate's key (Sigstore's client specification, "Verification"): the signature itself, what
 * the certificate may be used for, and by each trusted root the time, the chain and the log. Whether a policy accepts the
 * identity is for others to say.
 * @param certificates base64 of the DER, leaf first
 * @throws SignatureError where the certificate cannot be read
 */
export function verifyByIdentity(
  certificates: readonly string[],
  claimed: ClaimedSignature,
  roots: readonly SigstoreRoot[],
): KeylessVerdict {
  const leaf = readLeaf(certificates);
  const signer: KeylessSigner = {
    kind: "keyless",
    ...readIdentity(leaf),
    fingerprint: leaf.fingerprint,
    publicKey: keyFingerprint(leaf.publicKey),
    roots: [],
  };
  let subject: SignedSubject;
  try {
    subject = readSigned(leaf, claimed);
  } catch (refusal) {
    if (!(refusal instanceof SignatureError)) throw refusal;
    return { signer, refusal, selfConsistent: false };
  }
  return provedBy(signer, leaf, subject, roots);
}

/**
 * Checks the keyless signature of a skill's bundle.
 * @param encoded what was signed, in DSSE's pre-authentication encoding
 * @throws SignatureError where the certificate cannot be read
 */
export const verifyKeyless = (
  { certificates, proof }: KeylessMaterial,
  { payload, signature }: SignatureBundle,
  { payloadType, encoded }: { readonly payloadType: string; readonly encoded: Uint8Array },
  { sigstore = [] }: TrustMaterial,
): KeylessVerdict =>
  verifyByIdentity(
    certificates,
    { signature, signed: { bytes: encoded }, envelope: { payloadType, payload }, proof },
    sigstore,
  );
