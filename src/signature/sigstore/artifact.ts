import { hash, type KeyObject } from "node:crypto";
import { isEd25519, verifyEd25519 } from "../ed25519.ts";
import { curveDigest, verifyEcdsa, type CurveDigest } from "../key.ts";
import { unsupported } from "../signature-error.ts";
import { quoted } from "../../text/printable.ts";
import { nistCurves } from "./lazy-libraries.ts";

/** A signed artifact: its bytes, or only its SHA-256 (64 lower-case hex digits) if the bytes are not at hand. */
export type Artifact = { readonly bytes: Uint8Array } | { readonly sha256: string };

/** Digest algorithms of bundles and log entries: those that belong to a curve. */
export type DigestName = CurveDigest;

/**
 * Computes an artifact's digest.
 * @throws SignatureError UNSUPPORTED_FORMAT if only its SHA-256 is known and that is malformed, or another digest is
 *   needed
 */
export function artifactDigest(artifact: Artifact, name: DigestName): Buffer {
  if ("bytes" in artifact) return hash(name, artifact.bytes, "buffer");
  // `Buffer.from` would accept any text and return an empty digest.
  if (!/^[0-9a-f]{64}$/.test(artifact.sha256))
    throw unsupported(`${quoted(artifact.sha256)} is not a SHA-256 of 64 lower-case hex digits`);
  if (name === "sha256") return Buffer.from(artifact.sha256, "hex");
  throw unsupported(
    `the signature is over a ${name} digest; give the artifact itself, not its SHA-256 alone`,
  );
}

const curveOf = {
  prime256v1: "p256",
  secp384r1: "p384",
  secp521r1: "p521",
} as const;

/** The public key's point as 04, x, y (SEC 1, 2.3.3). */
function pointOf(key: KeyObject): Buffer {
  const { x = "", y = "" } = key.export({ format: "jwk" });
  return Buffer.concat([Buffer.of(4), Buffer.from(x, "base64url"), Buffer.from(y, "base64url")]);
}

/**
 * Verifies an ECDSA signature in DER over a given digest, in JavaScript: Node's `verify` and WebCrypto hash their
 * input themselves. Takes some milliseconds, Node a tenth of one. A hostile signature is false, never an exception.
 */
export function verifyEcdsaDigest(key: KeyObject, digest: Uint8Array, signature: Uint8Array): boolean {
  const name = key.asymmetricKeyDetails?.namedCurve ?? "";
  if (key.asymmetricKeyType !== "ec" || !Object.hasOwn(curveOf, name)) return false;
  const curve = nistCurves()[curveOf[name as keyof typeof curveOf]];
  try {
    // Both signs of `s` are accepted, as by OpenSSL: Sigstore's clients produce either.
    return curve.verify(signature, digest, pointOf(key), { prehash: false, lowS: false, format: "der" });
  } catch {
    return false;
  }
}

/**
 * Whether the key signed the artifact: ECDSA with the curve's digest, or with SHA-256, which Sigstore's older clients
 * use for all curves; or Ed25519, which signs the bytes, so a digest alone never verifies.
 */
export function isSignedBy(key: KeyObject, artifact: Artifact, signature: Uint8Array): boolean {
  if (isEd25519(key)) return "bytes" in artifact && verifyEd25519(key, artifact.bytes, signature);
  const digest = curveDigest(key);
  if (digest === undefined) return false;
  if (!("bytes" in artifact)) return verifyEcdsaDigest(key, artifactDigest(artifact, "sha256"), signature);
  return (
    verifyEcdsa(key, digest, artifact.bytes, signature) ||
    (digest !== "sha256" && verifyEcdsa(key, "sha256", artifact.bytes, signature))
  );
}
