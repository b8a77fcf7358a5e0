import { createPublicKey, X509Certificate, type KeyObject } from "node:crypto";
import { sha256Hex } from "../../skill/digest.ts";
import { parseCertificate } from "../../signature/x509/certificate.ts";
import { isIssuedCrl, parseCrl } from "../../signature/x509/crl.ts";
import { keyFingerprint } from "../../signature/key.ts";
import { isStrongAuthority } from "../../signature/x509/path-rules.ts";
import { ed25519KeyFault, isEd25519 } from "../../signature/ed25519.ts";
import { SignatureError } from "../../signature/signature-error.ts";
import type { TrustAnchor, TrustedCrl } from "../../signature/x509/x509-trust.ts";
import type { TrustedKey } from "../../signature/trusted-key.ts";
import { PolicyError } from "../policy-error.ts";

/** Maximum blocks of one PEM text. */
const maxBlocks = 32;

const curves = new Set(["prime256v1", "secp384r1", "secp521r1"]);
const base64 = /^[A-Za-z0-9+/]+={0,2}$/;

const unusable = (field: string, what: string, cause?: unknown): PolicyError =>
  new PolicyError("UnusableTrust", `${field}: ${what}`, { cause });

/**
 * DER of each block of a PEM text (RFC 7468; text around the blocks is ignored). All blocks must have the label.
 */
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

interface Authority {
  readonly anchor: TrustAnchor;
  readonly selfSigned: boolean;
}

function authorityOf(der: Buffer, name: string, field: string): Authority {
  let certificate: X509Certificate;
  let selfSigned: boolean;
  try {
    certificate = new X509Certificate(der);
    // Self-signed by key, not by name: a certificate may name itself as issuer and be signed by another key.
    selfSigned = certificate.verify(certificate.publicKey);
  } catch (cause) {
    throw unusable(field, "a certificate cannot be read", cause);
  }
  if (!certificate.ca) {
    const subject = certificate.subject.replaceAll("\n", ", ").slice(0, 200);
    throw unusable(
      field,
      `${JSON.stringify(subject)} is no CA certificate; give the root certificates that signers' chains end in`,
    );
  }
  if (!isStrongAuthority(certificate)) {
    const { asymmetricKeyType, asymmetricKeyDetails } = certificate.publicKey;
    const size = asymmetricKeyDetails?.modulusLength ?? asymmetricKeyDetails?.namedCurve ?? "";
    const kind = `${asymmetricKeyType ?? "unknown"} ${size}`.trim();
    throw unusable(
      field,
      `a CA certificate with a key of the kind ${kind} cannot be used; RSA from 2048 bits, P-256, P-384 and P-521 can`,
    );
  }
  return { anchor: { names: [name], fingerprint: sha256Hex(certificate.raw), certificate }, selfSigned };
}

/**
 * Reads root certificates from PEM. Intermediates may be included for signatures without their own; one certificate
 * at least must be self-signed.
 * @param name name for operators: `trust-root/entry`
 * @param field path of the text, for messages
 * @throws PolicyError UnusableTrust
 */
export function readAnchors(pem: string, name: string, field: string): readonly TrustAnchor[] {
  const authorities = blocksOf(pem, "CERTIFICATE", field).map((der) => authorityOf(der, name, field));
  if (!authorities.some(({ selfSigned }) => selfSigned)) {
    throw unusable(
      field,
      "holds no self-signed root certificate, so that no chain could end in it; add the root",
    );
  }
  return authorities.map(({ anchor }) => anchor);
}

/**
 * Reads a certificate revocation list (RFC 5280) from PEM, issued by one of these authorities.
 * @throws PolicyError UnusableTrust
 */
export function readCrl(
  pem: string,
  name: string,
  field: string,
  authorities: readonly TrustAnchor[],
): TrustedCrl {
  const [der, ...others] = blocksOf(pem, "X509 CRL", field);
  if (der === undefined || others.length > 0)
    throw unusable(field, `holds ${others.length + 1} lists; give each an entry of its own`);
  try {
    const crl = parseCrl(der, "the list");
    for (const { certificate: x509 } of authorities) {
      const authority = parseCertificate(x509, "the authority");
      if (!isIssuedCrl(crl, authority)) continue;
      return {
        names: [name],
        fingerprint: crl.fingerprint,
        crl,
        issuerKey: keyFingerprint(authority.publicKey),
      };
    }
    const what = `no certificate of this trust root issued the list of ${crl.issuer}`;
    throw unusable(field, `${what}; put its issuer's certificate beside the root, under certificates`);
  } catch (cause) {
    if (!(cause instanceof SignatureError)) throw cause;
    throw unusable(field, cause.message, cause);
  }
}

function assertUsable(key: KeyObject, field: string): void {
  if (isEd25519(key)) {
    const fault = ed25519KeyFault(key);
    if (fault !== undefined)
      throw unusable(field, `the Ed25519 key ${fault}; ask its owner for the right one`);
    return;
  }
  const curve = key.asymmetricKeyDetails?.namedCurve ?? "";
  if (key.asymmetricKeyType === "ec" && curves.has(curve)) return;
  const kind = `${key.asymmetricKeyType ?? "unknown"} ${curve}`.trim();
  throw unusable(field, `a key of the kind ${kind} cannot be used; use P-256, P-384, P-521 or Ed25519`);
}

function keyOf(der: Buffer, name: string, field: string): TrustedKey {
  let key: KeyObject;
  try {
    const read = createPublicKey({ key: der, format: "der", type: "spki" });
    assertUsable(read, field);
    // Normalises the encoding: points may be compressed, and the fingerprint must not depend on that.
    key = createPublicKey({ key: read.export({ format: "jwk" }), format: "jwk" });
  } catch (cause) {
    if (cause instanceof PolicyError) throw cause;
    throw unusable(field, "a public key cannot be read", cause);
  }
  return { names: [name], fingerprint: sha256Hex(key.export({ type: "spki", format: "der" })), key };
}

/**
 * Reads the public key in a PEM text: P-256, P-384, P-521 or Ed25519. Exactly one: of two keys some readers take
 * the first and some both.
 * @throws PolicyError UnusableTrust
 */
export function readTrustedKey(pem: string, name: string, field: string): TrustedKey {
  const [der, ...others] = blocksOf(pem, "PUBLIC KEY", field);
  if (der === undefined || others.length > 0)
    throw unusable(field, `holds ${others.length + 1} public keys; give each an entry of its own`);
  return keyOf(der, name, field);
}
