import { createPublicKey, verify, type KeyObject } from "node:crypto";
import { sha256Hex } from "../skill/digest.ts";

/** Digest that goes with a curve. */
export type CurveDigest = "sha256" | "sha384" | "sha512";

const digestOfCurve: ReadonlyMap<string, CurveDigest> = new Map([
  ["prime256v1", "sha256"],
  ["secp384r1", "sha384"],
  ["secp521r1", "sha512"],
]);

/** The digest of the key's curve; undefined where skills may not be signed with such a key (RSA, Ed25519, other curves). */
export const curveDigest = (key: KeyObject): CurveDigest | undefined =>
  key.asymmetricKeyType === "ec" ? digestOfCurve.get(key.asymmetricKeyDetails?.namedCurve ?? "") : undefined;

/** An ECDSA signature in DER over the data. Hostile signatures are false, never an exception. */
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

/** Bytes of the SubjectPublicKeyInfo with the curve's name and the whole point. */
const plainLength: ReadonlyMap<string, { readonly all: number; readonly point: number }> = new Map([
  ["prime256v1", { all: 91, point: 65 }],
  ["secp384r1", { all: 120, point: 97 }],
  ["secp521r1", { all: 158, point: 133 }],
]);

/** Is an elliptic key written with its curve's name and its point in full (SEC 1, 2.3.3: 04, x, y). */
function isPlain(key: KeyObject): boolean {
  const plain = plainLength.get(key.asymmetricKeyDetails?.namedCurve ?? "");
  if (plain === undefined) return true;
  const der = key.export({ type: "spki", format: "der" });
  return der.byteLength === plain.all && der[plain.all - plain.point] === 4;
}

/**
 * The key in the one encoding that it has here. Points may be written compressed, and curves by their parameters: what a
 * key is called must not depend on that, or who revokes it means another one.
 * @param key public
 */
const plainKey = (key: KeyObject): KeyObject =>
  isPlain(key) ? key : createPublicKey({ key: key.export({ format: "jwk" }), format: "jwk" });

/** What was written of keys, which never change. Node takes a tenth of a signature check for it. */
const written = new WeakMap<KeyObject, { readonly der: Buffer; readonly fingerprint: string }>();

function write(key: KeyObject): { readonly der: Buffer; readonly fingerprint: string } {
  let known = written.get(key);
  if (known === undefined) {
    const der = plainKey(key).export({ type: "spki", format: "der" });
    known = { der, fingerprint: sha256Hex(der) };
    written.set(key, known);
  }
  return known;
}

/** The SubjectPublicKeyInfo in DER; not to be changed. */
export const keyDer = (key: KeyObject): Buffer => write(key).der;

/** SHA-256 over the SubjectPublicKeyInfo in DER, hex: the fingerprint of a `TrustedKey`. */
export const keyFingerprint = (key: KeyObject): string => write(key).fingerprint;

/**
 * How OMS bundles name a key: SHA-256, hex, over the **PEM text** of the SubjectPublicKeyInfo as it is written anew
 * (64 columns, line feeds), whatever the key's own file looked like.
 */
export const keyHint = (key: KeyObject): string =>
  sha256Hex(plainKey(key).export({ type: "spki", format: "pem" }));
