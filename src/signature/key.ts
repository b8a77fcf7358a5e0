import { createPublicKey, verify, type KeyObject } from "node:crypto";
import { sha256Hex } from "../skill/digest.ts";
import { memoizeByObject } from "../text/memoize-by-object.ts";

/** Digest that belongs to a curve's size. */
export type CurveDigest = "sha256" | "sha384" | "sha512";

const digestOfCurve: ReadonlyMap<string, CurveDigest> = new Map([
  ["prime256v1", "sha256"],
  ["secp384r1", "sha384"],
  ["secp521r1", "sha512"],
]);

/** The digest of the key's curve; undefined for keys that may not sign skills (RSA, Ed25519, other curves). */
export const curveDigest = (key: KeyObject): CurveDigest | undefined =>
  key.asymmetricKeyType === "ec" ? digestOfCurve.get(key.asymmetricKeyDetails?.namedCurve ?? "") : undefined;

/** Verifies an ECDSA signature in DER over the data. A hostile signature is false, never an exception. */
export function verifyEcdsa(
  key: KeyObject,
  digest: CurveDigest,
  data: Uint8Array,
  signature: Uint8Array,
): boolean {
  try {
    return verify(digest, data, { key, dsaEncoding: "der" }, signature);
  } catch {
    return false;
  }
}

/** Lengths in bytes of a SubjectPublicKeyInfo with named curve and uncompressed point, and of that point. */
const plainLength: ReadonlyMap<string, { readonly all: number; readonly point: number }> = new Map([
  ["prime256v1", { all: 91, point: 65 }],
  ["secp384r1", { all: 120, point: 97 }],
  ["secp521r1", { all: 158, point: 133 }],
]);

/**
 * Whether a key is encoded with a named curve and an uncompressed point (SEC 1, 2.3.3: 04, x, y); true for keys that
 * are not on these curves.
 */
function isPlain(key: KeyObject): boolean {
  const plain = plainLength.get(key.asymmetricKeyDetails?.namedCurve ?? "");
  if (plain === undefined) return true;
  const der = key.export({ type: "spki", format: "der" });
  return der.byteLength === plain.all && der[plain.all - plain.point] === 4;
}

/**
 * Normalises an EC key to named curve and uncompressed point. A key has several encodings, compressed points and
 * explicit parameters: its fingerprint must not depend on them, or a revocation would miss the key.
 * @param key public
 */
const plainKey = (key: KeyObject): KeyObject =>
  isPlain(key) ? key : createPublicKey({ key: key.export({ format: "jwk" }), format: "jwk" });

/** Remembered, for Node's export takes a tenth of a signature check. */
const write = memoizeByObject((key: KeyObject): { readonly der: Buffer; readonly fingerprint: string } => {
  const der = plainKey(key).export({ type: "spki", format: "der" });
  return { der, fingerprint: sha256Hex(der) };
});

/** The SubjectPublicKeyInfo in DER, normalised; must not be changed. */
export const keyDer = (key: KeyObject): Buffer => write(key).der;

/** SHA-256 over the SubjectPublicKeyInfo in DER, hex: the fingerprint of a `TrustedKey`. */
export const keyFingerprint = (key: KeyObject): string => write(key).fingerprint;

/**
 * Names a key as OMS bundles do: SHA-256, hex, over the **PEM text** of the normalised SubjectPublicKeyInfo (64
 * columns, line feeds), independent of the key file.
 */
export const keyHint = (key: KeyObject): string =>
  sha256Hex(plainKey(key).export({ type: "spki", format: "pem" }));
