import { sha256Hex } from "../../skill/digest.ts";
import { assertDer, DerError, derMembers, derTag, objectIdentifier, readDer, type DerValue } from "./der.ts";

/** A certificate's fingerprint, and that of the certificate into which anybody can turn it. SHA-256 over DER, hex. */
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

/** Prefix of the object identifiers of ECDSA with SHA-2. */
const ecdsa = "1.2.840.10045.4.3.";

/** Encodes a value in DER. */
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
 * Computes the fingerprints of a certificate's malleable variants. An ECDSA signature (r, s) has a second, equally
 * valid one, (r, -s), that anybody can compute; the certificate with it has another fingerprint. A revocation by
 * fingerprint must cover both. The certificate does not name the curve of its issuer's key, so the variants of all
 * curves are returned: one that is not valid does no harm.
 * @param der of a certificate
 * @param fingerprint SHA-256 over it, hex
 */
export function malleableFingerprints(der: Uint8Array, fingerprint: string): readonly MalleableFingerprint[] {
  try {
    return twinsOf(der).map((twin) => ({ of: fingerprint, fingerprint: sha256Hex(twin) }));
  } catch (cause) {
    // Not an ECDSA signature that any verifier accepts.
    if (cause instanceof DerError) return [];
    throw cause;
  }
}
