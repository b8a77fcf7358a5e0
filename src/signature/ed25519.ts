import { verify, type KeyObject } from "node:crypto";

/** Whether the key is an Ed25519 key (RFC 8032), public or private. */
export const isEd25519 = (key: KeyObject): boolean => key.asymmetricKeyType === "ed25519";

/**
 * Verifies an Ed25519 signature over the data: 64 bytes, `S` below the group's order. A hostile signature is false,
 * never an exception.
 */
export function verifyEd25519(key: KeyObject, data: Uint8Array, signature: Uint8Array): boolean {
  try {
    return verify(null, data, key, signature);
  } catch {
    return false;
  }
}

/**
 * `y` of the eight points of small order (it divides 8), little-endian hex without the sign of `x`: 1, 0, -1, and two
 * of order eight (±). Such a "public key" needs no private one: a forged signature verifies for one message in eight,
 * or for every one. Not every version of Node refuses it.
 */
const smallOrder: ReadonlySet<string> = new Set([
  `01${"00".repeat(31)}`,
  "00".repeat(32),
  `ec${"ff".repeat(30)}7f`,
  "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
  "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
]);

/** Whether `y` is not canonical, 2²⁵⁵ - 19 or more: a second encoding of the same point (RFC 8032, 5.1.3). */
const isOversized = (y: Buffer): boolean =>
  (y[0] ?? 0) >= 0xed && y.subarray(1, 31).every((byte) => byte === 0xff) && y[31] === 0x7f;

/** Finds the fault of an Ed25519 public key that is to be trusted; undefined for a sound one. */
export function ed25519KeyFault(key: KeyObject): string | undefined {
  const y = Buffer.from(key.export({ format: "jwk" }).x ?? "", "base64url");
  if (y.byteLength !== 32) return "does not have 32 bytes";
  y.writeUInt8((y[31] ?? 0) & 0x7f, 31);
  if (isOversized(y)) return "is not written in its one form (RFC 8032, 5.1.3)";
  if (smallOrder.has(y.toString("hex"))) return "is a point of small order, under which anybody can sign";
  return undefined;
}
