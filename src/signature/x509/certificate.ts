import { X509Certificate, type KeyObject } from "node:crypto";
import { sha256Hex } from "../../skill/digest.ts";
import {
  assertDer,
  derBoolean,
  DerError,
  derInteger,
  derMembers,
  derSerial,
  derTag,
  derTime,
  objectIdentifier,
  readDer,
  type DerValue,
} from "./der.ts";
import { readName, type DistinguishedName } from "./distinguished-name.ts";
import { malformed } from "../signature-error.ts";

/** Fields of a certificate (RFC 5280) that the rules of `chain.ts` need. */
export interface Certificate {
  readonly x509: X509Certificate;
  /** SHA-256 over the DER, hex. */
  readonly fingerprint: string;
  readonly publicKey: KeyObject;
  /** Hex, without leading zeros, as in CRLs. */
  readonly serialNumber: string;
  readonly subject: DistinguishedName;
  /** DER of the names as comparable text. */
  readonly subjectId: string;
  readonly issuerId: string;
  /** Milliseconds since 1970, both inclusive. */
  readonly notBefore: number;
  readonly notAfter: number;
  /** Object identifier of the issuer's signature algorithm. */
  readonly signatureAlgorithm: string;
  readonly extensions: CertificateExtensions;
}

/** Extensions of a certificate; an absent field is an absent extension. */
export interface CertificateExtensions {
  readonly authority: boolean;
  readonly pathLength?: number;
  readonly keyUsage?: {
    readonly digitalSignature: boolean;
    readonly keyCertSign: boolean;
    readonly crlSign: boolean;
  };
  readonly extendedKeyUsage?: readonly string[];
  /** Object identifiers of critical extensions that are not supported: they may limit the certificate's use. */
  readonly unknownCritical: readonly string[];
  /** Content of each extension's extnValue, by object identifier. */
  readonly values: ReadonlyMap<string, Uint8Array>;
}

/** Limit of a certificate's DER, bytes. Real ones have 600 to 2,000. */
const maxBytes = 16 * 1024;

const oid = {
  keyUsage: "2.5.29.15",
  basicConstraints: "2.5.29.19",
  nameConstraints: "2.5.29.30",
  extendedKeyUsage: "2.5.29.37",
} as const;

/** Critical extensions without effect here: key identifiers, alternative names, certificate policies. */
const harmless: ReadonlySet<string> = new Set([
  "2.5.29.14",
  "2.5.29.35",
  "2.5.29.17",
  "2.5.29.18",
  "2.5.29.32",
]);

interface Extension {
  readonly critical: boolean;
  readonly value: Uint8Array;
}

function readExtensionList(tbs: readonly DerValue[]): ReadonlyMap<string, Extension> {
  const found = new Map<string, Extension>();
  const wrapped = tbs.find(({ tag }) => tag === 0xa3);
  if (wrapped === undefined) return found;
  for (const item of derMembers(readDer(wrapped.content)[0])) {
    const parts = derMembers(item);
    const id = objectIdentifier(parts[0]);
    if (found.has(id)) throw new DerError("has the same extension twice");
    const critical = parts.length > 2 && derBoolean(parts[1]);
    found.set(id, { critical, value: assertDer(parts.at(-1), derTag.octetString).content });
  }
  return found;
}

function basicConstraintsOf(extension: Extension | undefined): { authority: boolean; pathLength?: number } {
  if (extension === undefined) return { authority: false };
  const members = derMembers(readDer(extension.value)[0]);
  const authority = members[0]?.tag === derTag.boolean && derBoolean(members[0]);
  const limit = members[members[0]?.tag === derTag.boolean ? 1 : 0];
  return limit === undefined ? { authority } : { authority, pathLength: derInteger(limit) };
}

function keyUsageOf(extension: Extension | undefined): Pick<CertificateExtensions, "keyUsage"> {
  if (extension === undefined) return {};
  const bits = assertDer(readDer(extension.value)[0], derTag.bitString).content;
  const first = bits[1] ?? 0;
  return {
    keyUsage: {
      digitalSignature: (first & 0x80) !== 0,
      keyCertSign: (first & 0x04) !== 0,
      crlSign: (first & 0x02) !== 0,
    },
  };
}

function readExtensions(tbs: readonly DerValue[]): CertificateExtensions {
  const list = readExtensionList(tbs);
  const understood = new Set<string>([oid.keyUsage, oid.basicConstraints, oid.extendedKeyUsage]);
  const purposes = list.get(oid.extendedKeyUsage);
  return {
    ...basicConstraintsOf(list.get(oid.basicConstraints)),
    ...keyUsageOf(list.get(oid.keyUsage)),
    ...(purposes === undefined
      ? {}
      : { extendedKeyUsage: derMembers(readDer(purposes.value)[0]).map(objectIdentifier) }),
    // Name constraints count even if wrongly not critical (RFC 5280, 4.2.1.10 requires it): they are not supported,
    // and ignoring them would lift a limit.
    unknownCritical: [...list]
      .filter(
        ([id, { critical }]) =>
          (critical || id === oid.nameConstraints) && !understood.has(id) && !harmless.has(id),
      )
      .map(([id]) => id),
    values: new Map(list.entries().map(([id, { value }]) => [id, value])),
  };
}

function readCertificate(x509: X509Certificate): Certificate {
  const [certificate] = readDer(x509.raw);
  const [body, outerAlgorithm] = derMembers(certificate);
  const [version, ...tbs] = derMembers(body);
  if (version?.tag !== 0xa0 || derInteger(readDer(version.content)[0]) !== 2)
    throw new DerError(
      "is not of version 3; have it issued with its key usage (openssl x509 -req -extfile FILE)",
    );
  const [serial, algorithm, issuer, validity, subject] = tbs;
  if (algorithm === undefined || outerAlgorithm === undefined || issuer === undefined) {
    throw new DerError("is not built as expected");
  }
  if (!Buffer.from(algorithm.encoded).equals(outerAlgorithm.encoded)) {
    throw new DerError("names two different signature algorithms");
  }
  const [notBefore, notAfter] = derMembers(validity);
  return {
    x509,
    fingerprint: sha256Hex(x509.raw),
    publicKey: x509.publicKey,
    serialNumber: derSerial(serial),
    subject: readName(assertDer(subject, derTag.sequence)),
    subjectId: Buffer.from(assertDer(subject, derTag.sequence).encoded).toString("latin1"),
    issuerId: Buffer.from(issuer.encoded).toString("latin1"),
    notBefore: derTime(notBefore),
    // The last second counts in full.
    notAfter: derTime(notAfter) + 999,
    signatureAlgorithm: objectIdentifier(derMembers(algorithm)[0]),
    extensions: readExtensions(tbs.slice(6)),
  };
}

/**
 * Reads one certificate from DER alone: Node's parser also accepts PEM and ignores trailing bytes.
 *
 * The fields come from our own reader, for `X509Certificate` exposes neither key usage, path length nor critical
 * flags, and libraries that do take as long to load as verifying hundreds of skills.
 * @param where names the certificate in messages
 * @throws SignatureError MANIFEST_MALFORMED
 */
export function parseCertificate(source: Uint8Array | X509Certificate, where: string): Certificate {
  try {
    if (source instanceof X509Certificate) return readCertificate(source);
    if (source.byteLength > maxBytes) throw new DerError(`is larger than ${maxBytes} bytes`);
    if (source[0] !== derTag.sequence) throw new DerError("is not DER");
    const x509 = new X509Certificate(source);
    if (x509.raw.byteLength !== source.byteLength) throw new DerError("is followed by other bytes");
    return readCertificate(x509);
  } catch (cause) {
    const what = cause instanceof DerError ? cause.message : "cannot be read";
    throw malformed(`${where} ${what}`, { cause });
  }
}
