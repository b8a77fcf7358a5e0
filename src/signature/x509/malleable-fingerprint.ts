import { sha256Hex } from "../../skill/digest.ts";
import { assertDer, DerError, derMembers, derTag, objectIdentifier, readDer, type DerValue } from "./der.ts";

/** A certificate's fingerprint, and that of the other certificate that anybody can make of it. SHA-256 over DER, hex. */
export interface MalleableFingerprint {
  readonly of: string;
  readonly fingerprint: string;
}

/** Orders of the groups of P-256, P-384 and P-521 (NIST SP 800-186, 3.2.1). */
const orders: readonly bigint[] = [
  0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n,
  0xffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973n,
  0x01fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffa51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409n,
];

/** Arc of ECDSA with SHA-2. */
const ecdsa = "1.2.840.10045.4.3.";

/** One value in DER. */
function encode(tag: number, ...contents: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(contents);
  const size = content.byteLength;
  if (size < 0x80) return Buffer.concat([Buffer.of(tag, size), content]);
  const hex = size.toString(16);
  const length = Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, "hex");
  return Buffer.concat([Buffer.of(tag, 0x80 | length.byteLength), length, content]);
}

function encodeInteger(value: bigint): Buffer {
  const hex = value.toString(16);
  const bytes = Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, "hex");
  const sign = (bytes[0] ?? 0) >= 0x80 ? [Buffer.of(0)] : [];
  return encode(derTag.integer, ...sign, bytes);
}

const numberOf = (value: DerValue): bigint =>
  BigInt(`0x${Buffer.from(value.content).toString("hex") || "0"}`);

function twinsOf(der: Uint8Array): readonly Buffer[] {
  const [body, algorithm, signature] = derMembers(readDer(der)[0]);
  if (body === undefined || algorithm === undefined) return [];
  if (!objectIdentifier(derMembers(algorithm)[0]).startsWith(ecdsa)) return [];
  const bits = assertDer(signature, derTag.bitString).content;
  const [r, s] = derMembers(readDer(bits.subarray(1))[0]);
  const value = numberOf(assertDer(s, derTag.integer));
  if (r === undefined) return [];
  return orders
    .filter((order) => value > 0n && value < order)
    .map((order) => {
      const pair = encode(derTag.sequence, r.encoded, encodeInteger(order - value));
      const other = encode(derTag.bitString, Buffer.of(0), pair);
      return encode(derTag.sequence, body.encoded, algorithm.encoded, other);
    });
}

/**
 * Under ECDSA every signature (r, s) has a second one, (r, -s), that is as valid, and that anybody can work out. So a
 * certificate from such an authority has a twin: the same words, another fingerprint. A list that revokes one of them
 * means both. Which curve the authority's key is on does not stand in the certificate, so that all are taken: a
 * certificate that is none harms nobody.
 * @param der of a certificate
 * @param fingerprint SHA-256 over it, hex
 */
export function malleableFingerprints(der: Uint8Array, fingerprint: string): readonly MalleableFingerprint[] {
  try {
    return twinsOf(der).map((twin) => ({ of: fingerprint, fingerprint: sha256Hex(twin) }));
  } catch (cause) {
    // No ECDSA signature that anything would verify.
    if (cause instanceof DerError) return [];
    throw cause;
  }
}
