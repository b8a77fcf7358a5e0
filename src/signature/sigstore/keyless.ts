import type { SignatureBundle, VerificationMaterial } from "../bundle.ts";
import { parseCertificate, type Certificate } from "../certificate.ts";
import { decodeBase64 } from "../json-fields.ts";
import { curveDigest, keyFingerprint, verifyEcdsa } from "../key.ts";
import { malformed, quoted, SignatureError, unsupported } from "../signature-error.ts";
import type { Signer } from "../signature-evidence.ts";
import type { SigstoreRoot, TrustMaterial } from "../trust-material.ts";
import { readIdentity } from "./identity.ts";
import { assertLogBody } from "./log-body.ts";
import { knowsLog, proveSigning, type KeylessEnvelope } from "./prove.ts";

type KeylessMaterial = Extract<VerificationMaterial, { kind: "keyless" }>;
type KeylessSigner = Extract<Signer, { kind: "keyless" }>;

/** A keyless signature: who claims to have made it, and why that is not proved, if it is not. */
export interface KeylessVerdict {
  readonly signer: KeylessSigner;
  readonly refusal?: SignatureError;
  /** Is the signature valid under the key that the bundle brings. */
  readonly selfConsistent: boolean;
}

const codeSigning = "1.3.6.1.5.5.7.3.3";

/** Roots that are tried for one signature. */
const maxRoots = 8;

/** By the key, not by the names. A key that cannot be checked with signs nothing either. */
function isSelfSigned({ x509, publicKey }: Certificate): boolean {
  try {
    return x509.verify(publicKey);
  } catch {
    return false;
  }
}

/** Only the leaf counts: the chain above it comes from the trusted root. A root in the bundle asks to be trusted. */
function readLeaf({ certificates }: KeylessMaterial): Certificate {
  const [leaf, ...others] = certificates.map((text, at) => {
    const where = `certificate ${at + 1} of the bundle`;
    return parseCertificate(decodeBase64(text, where), where);
  });
  if (leaf === undefined) throw malformed("the bundle holds no certificate");
  if ([leaf, ...others].some(isSelfSigned))
    throw malformed("the bundle brings a self-signed certificate; roots come from trust roots alone");
  return leaf;
}

/**
 * Key usage digitalSignature and extended key usage codeSigning must both be there (sigstore-python, `_verify_common`),
 * and nothing critical that is not understood. The library asks for none of this.
 */
function assertMaySignCode({ extensions, publicKey }: Certificate): void {
  if (curveDigest(publicKey) === undefined)
    throw unsupported("the signing certificate's key is not on P-256, P-384 or P-521");
  if (extensions.unknownCritical.length > 0)
    throw unsupported("the signing certificate has a critical extension that is not understood");
  const fits =
    !extensions.authority &&
    extensions.keyUsage?.digitalSignature === true &&
    extensions.extendedKeyUsage?.includes(codeSigning) === true;
  if (!fits) {
    throw new SignatureError(
      "BAD_SIGNATURE",
      "the signing certificate may not sign code: it needs key usage digitalSignature and extended key usage codeSigning",
    );
  }
}

/** By the curve's digest, or SHA-256, which Sigstore's older clients take for all curves. */
function isSigned({ publicKey }: Certificate, encoded: Uint8Array, signature: Uint8Array): boolean {
  const digest = curveDigest(publicKey);
  return (
    digest !== undefined &&
    (verifyEcdsa(publicKey, digest, encoded, signature) ||
      (digest !== "sha256" && verifyEcdsa(publicKey, "sha256", encoded, signature)))
  );
}

function assertSignature(leaf: Certificate, { encoded, signature, proof }: KeylessEnvelope): void {
  assertMaySignCode(leaf);
  if (!isSigned(leaf, encoded, signature)) {
    throw new SignatureError(
      "BAD_SIGNATURE",
      "the signature does not match the signed list: one of them was changed, or another key signed",
    );
  }
  assertLogBody(proof.entry, leaf.x509.raw);
}

interface Proof {
  readonly root: SigstoreRoot;
  readonly signedAt: number;
}

/** All roots by which the signature is proved, for policies may trust different ones. */
function proofsOf(
  envelope: KeylessEnvelope,
  roots: readonly SigstoreRoot[],
): { readonly proofs: readonly Proof[]; readonly refusal: SignatureError } {
  const proofs: Proof[] = [];
  let refusal = new SignatureError(
    "UNTRUSTED_SIGNER",
    roots.length === 0
      ? "no Sigstore root is trusted here"
      : "its transparency log is in no trusted Sigstore root",
  );
  const candidates = roots.filter((root) => knowsLog(root, envelope.proof));
  for (const root of candidates.slice(0, maxRoots)) {
    try {
      proofs.push({ root, signedAt: proveSigning(envelope, root) });
    } catch (cause) {
      if (!(cause instanceof SignatureError)) throw cause;
      refusal = cause;
    }
  }
  return { proofs, refusal };
}

function provedBy(signer: KeylessSigner, envelope: KeylessEnvelope, roots: readonly SigstoreRoot[]) {
  const { proofs, refusal } = proofsOf(envelope, roots);
  if (proofs.length === 0) {
    const who = `${quoted(signer.identity)} (${quoted(signer.issuer)})`;
    throw new SignatureError(refusal.code, `signed by ${who}, which is not proved: ${refusal.message}`);
  }
  return {
    ...signer,
    roots: proofs.map(({ root }) => root.fingerprint),
    signedAt: Math.min(...proofs.map(({ signedAt }) => signedAt)),
  };
}

/**
 * Checks a keyless signature (Sigstore's client specification, "Verification"): the signature under the certificate's
 * key, what the certificate may be used for, and by each trusted root the time, the chain and the log. Whether a policy
 * accepts the identity is for others to say.
 *
 * @param encoded what was signed, in DSSE's pre-authentication encoding
 * @throws SignatureError where the certificate cannot be read
 */
export function verifyKeyless(
  material: KeylessMaterial,
  { payload, signature }: SignatureBundle,
  { payloadType, encoded }: { readonly payloadType: string; readonly encoded: Uint8Array },
  { sigstore = [] }: TrustMaterial,
): KeylessVerdict {
  const leaf = readLeaf(material);
  const { proof } = material;
  const envelope = { certificate: leaf, proof, payloadType, payload, signature, encoded };
  const signer: KeylessSigner = {
    kind: "keyless",
    ...readIdentity(leaf),
    fingerprint: leaf.fingerprint,
    publicKey: keyFingerprint(leaf.publicKey),
    roots: [],
  };
  let selfConsistent = false;
  try {
    assertSignature(leaf, envelope);
    selfConsistent = true;
    return { signer: provedBy(signer, envelope, sigstore), selfConsistent };
  } catch (refusal) {
    if (!(refusal instanceof SignatureError)) throw refusal;
    return { signer, refusal, selfConsistent };
  }
}
