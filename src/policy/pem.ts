import { createPublicKey, X509Certificate, type KeyObject } from "node:crypto";
import { sha256Hex } from "../skill/digest.ts";
import type { TrustAnchor, TrustedKey } from "../signature/trust-material.ts";
import { PolicyError } from "./policy-error.ts";

/** Blocks that one PEM text may hold. */
const maxBlocks = 32;

const curves = new Set(["prime256v1", "secp384r1", "secp521r1"]);
const base64 = /^[A-Za-z0-9+/]+={0,2}$/;

const unusable = (field: string, what: string, cause?: unknown): PolicyError =>
  new PolicyError("UnusableTrust", `${field}: ${what}`, { cause });

/** The DER behind each block of a PEM text (RFC 7468; text around the blocks is ignored). One label is expected. */
function blocksOf(pem: string, label: string, field: string): readonly Buffer[] {
  const blocks: Buffer[] = [];
  const end = `-----END ${label}-----`;
  let at = 0;
  for (;;) {
    const begin = pem.indexOf("-----BEGIN ", at);
    if (begin === -1) break;
    const start = begin + `-----BEGIN ${label}-----`.length;
    const stop = pem.indexOf(end, start);
    if (pem.slice(begin, start) !== `-----BEGIN ${label}-----` || stop === -1) {
      throw unusable(
        field,
        `holds another block than "${label}", or one without end; give only "${label}" blocks`,
      );
    }
    const body = pem.slice(start, stop).replaceAll(/\s/g, "");
    if (body.length % 4 !== 0 || !base64.test(body))
      throw unusable(field, `a "${label}" block is not base64`);
    blocks.push(Buffer.from(body, "base64"));
    if (blocks.length > maxBlocks) throw unusable(field, `more than ${maxBlocks} blocks; split it`);
    at = stop + end.length;
  }
  if (blocks.length === 0) throw unusable(field, `holds no "${label}" block`);
  return blocks;
}

function anchorOf(der: Buffer, name: string, field: string): TrustAnchor {
  let certificate: X509Certificate;
  let selfSigned: boolean;
  try {
    certificate = new X509Certificate(der);
    // By the key, not by the names: a certificate may name itself as issuer and be signed by another.
    selfSigned = certificate.verify(certificate.publicKey);
  } catch (cause) {
    throw unusable(field, "a certificate cannot be read", cause);
  }
  if (!selfSigned || !certificate.ca) {
    const subject = certificate.subject.replaceAll("\n", ", ").slice(0, 200);
    throw unusable(
      field,
      `${JSON.stringify(subject)} is no self-signed CA certificate; give root certificates only, intermediates come with the signature`,
    );
  }
  return { names: [name], fingerprint: sha256Hex(certificate.raw), certificate };
}

/**
 * Root certificates from PEM.
 * @param name under which operators know them
 * @param field where the text stands, for messages
 * @throws PolicyError UnusableTrust
 */
export const readAnchors = (pem: string, name: string, field: string): readonly TrustAnchor[] =>
  blocksOf(pem, "CERTIFICATE", field).map((der) => anchorOf(der, name, field));

function keyOf(der: Buffer, name: string, field: string): TrustedKey {
  let key: KeyObject;
  try {
    const read = createPublicKey({ key: der, format: "der", type: "spki" });
    const curve = read.asymmetricKeyDetails?.namedCurve ?? "";
    if (read.asymmetricKeyType !== "ec" || !curves.has(curve)) {
      const kind = `${read.asymmetricKeyType ?? "unknown"} ${curve}`.trim();
      throw unusable(field, `a key of the kind ${kind} cannot be used; use P-256, P-384 or P-521`);
    }
    // One encoding for one key: points may be written compressed, and the fingerprint must not depend on that.
    key = createPublicKey({ key: read.export({ format: "jwk" }), format: "jwk" });
  } catch (cause) {
    if (cause instanceof PolicyError) throw cause;
    throw unusable(field, "a public key cannot be read", cause);
  }
  return { names: [name], fingerprint: sha256Hex(key.export({ type: "spki", format: "der" })), key };
}

/**
 * Public keys from PEM, on the curves P-256, P-384 and P-521.
 * @throws PolicyError UnusableTrust
 */
export const readKeys = (pem: string, name: string, field: string): readonly TrustedKey[] =>
  blocksOf(pem, "PUBLIC KEY", field).map((der) => keyOf(der, name, field));
