import type { SignatureBundle, VerificationMaterial } from "./bundle.ts";
import { malleableFingerprints, type MalleableFingerprint } from "../x509/malleable-fingerprint.ts";
import type { Certificate } from "../x509/certificate.ts";
import { keyFingerprint } from "../key.ts";
import { SignatureError } from "../signature-error.ts";
import { quoted } from "../../text/printable.ts";
import type { SigstoreRoot, SigstoreTrust } from "./root/sigstore-root.ts";
import { isSignedBy } from "./artifact.ts";
import type { CertificateClaim } from "./identity/claims.ts";
import { readIdentity } from "./identity/identity.ts";
import { issuersAbove } from "./root/issuers.ts";
import { assertMaySignCode, readLeaf } from "./identity/leaf.ts";
import { earliest, proofsOf, unprovedBy, type Unproved } from "./log/proofs.ts";
import { toSubject, type SignedSubject } from "./log/subject.ts";

type KeylessMaterial = Extract<VerificationMaterial, { kind: "keyless" }>;

/** Signer of kind keyless: an identity with a certificate for one signature. */
export interface KeylessSigner {
  readonly kind: "keyless";
  /** E-mail address or URI in the certificate; compared whole. */
  readonly identity: string;
  /** URL of the OpenID Connect issuer that vouched for it. */
  readonly issuer: string;
  /** The certificate's claims about the build that signed, by Fulcio's extension names. */
  readonly claims: Readonly<Partial<Record<CertificateClaim, string>>>;
  /** SHA-256 over the certificate's DER, hex. */
  readonly fingerprint: string;
  /** SHA-256 over its SubjectPublicKeyInfo, hex. */
  readonly publicKey: string;
  /** Fingerprints of the Sigstore roots that proved it. Empty: none. */
  readonly roots: readonly string[];
  /** Fingerprints of these roots' certificates above the signer's. */
  readonly issuers?: readonly string[];
  /** SHA-256 over the SubjectPublicKeyInfo of each of these certificates, hex. */
  readonly issuerKeys?: readonly string[];
  /** Malleable fingerprints of the certificate; see `malleableFingerprints`. */
  readonly malleable?: readonly MalleableFingerprint[];
  /** Roots that know its logs but do not prove it. Absent: none. */
  readonly unproved?: readonly Unproved[];
  /** Time of signing, proved by timestamp authority or log; milliseconds since 1970. */
  readonly signedAt?: number;
}

/** Result for a keyless signature: the claimed signer, and the refusal unless it was proved. */
export interface KeylessVerdict {
  readonly signer: KeylessSigner;
  readonly refusal?: SignatureError;
  /** Whether the signature verifies under the bundle's certificate. */
  readonly selfConsistent: boolean;
}

/** A signature by a certificate's key, not verified yet. */
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
    malleable: malleableFingerprints(leaf.x509.raw, leaf.fingerprint),
    ...earliest(proofs),
  };
  return { signer: proved, selfConsistent: true };
}

/**
 * Verifies a signature by a certificate's key (Sigstore client specification, "Verification"): the signature, the
 * certificate's usage, and by each trusted root the time, the chain and the log. Policies decide whether to accept the
 * identity.
 * @param certificates base64 of the DER, leaf first
 * @throws SignatureError if the certificate is unreadable
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
 * Verifies the keyless signature of a skill's bundle.
 * @param encoded the signed bytes, in DSSE's pre-authentication encoding
 * @throws SignatureError if the certificate is unreadable
 */
export const verifyKeyless = (
  { certificates, proof }: KeylessMaterial,
  { payload, signature }: SignatureBundle,
  { payloadType, encoded }: { readonly payloadType: string; readonly encoded: Uint8Array },
  { sigstore = [] }: SigstoreTrust,
): KeylessVerdict =>
  verifyByIdentity(
    certificates,
    { signature, signed: { bytes: encoded }, envelope: { payloadType, payload }, proof },
    sigstore,
  );
