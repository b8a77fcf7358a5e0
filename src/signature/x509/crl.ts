import { verify, type KeyObject } from "node:crypto";
import { sha256Hex } from "../../skill/digest.ts";
import type { Certificate } from "./certificate.ts";
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
import { readName } from "./distinguished-name.ts";
import { malformed } from "../signature-error.ts";
import type { Validity } from "../validity.ts";

/** A certificate revocation list (CRL; RFC 5280, 5), reduced to the fields that decide on revocation. */
export interface Crl {
  /** SHA-256 over the DER, hex. */
  readonly fingerprint: string;
  /** The issuer's name for people, and its DER as comparable text. */
  readonly issuer: string;
  readonly issuerId: string;
  /** From thisUpdate to nextUpdate. */
  readonly validity: Validity;
  /** Time of revocation, milliseconds since 1970, by serial number. */
  readonly revoked: ReadonlyMap<string, number>;
  readonly signed: Uint8Array;
  readonly signature: Uint8Array;
  /** Object identifier. */
  readonly signatureAlgorithm: string;
}

/** Limit of a CRL's DER, bytes. An object in the cluster holds at most a million and a half. */
const maxBytes = 1024 * 1024;
const maxEntries = 50_000;

/** Accepted algorithms of the issuer's signature, the same as for certificates. */
const algorithms: ReadonlyMap<string, { readonly key: "ec" | "rsa"; readonly hash: string }> = new Map([
  ["1.2.840.10045.4.3.2", { key: "ec", hash: "sha256" }],
  ["1.2.840.10045.4.3.3", { key: "ec", hash: "sha384" }],
  ["1.2.840.10045.4.3.4", { key: "ec", hash: "sha512" }],
  ["1.2.840.113549.1.1.11", { key: "rsa", hash: "sha256" }],
  ["1.2.840.113549.1.1.12", { key: "rsa", hash: "sha384" }],
  ["1.2.840.113549.1.1.13", { key: "rsa", hash: "sha512" }],
]);

/** Extensions of a partial CRL: delta CRL, and issuing distribution point. */
const partial: ReadonlySet<string> = new Set(["2.5.29.27", "2.5.29.28"]);
/** Critical extensions without effect here: CRL number, authority key identifier, reason, invalidity date. */
const harmless: ReadonlySet<string> = new Set(["2.5.29.20", "2.5.29.35", "2.5.29.21", "2.5.29.24"]);

/** @throws DerError for an extension that marks a partial CRL, or an unsupported critical one */
function assertExtensions(list: DerValue | undefined): void {
  for (const item of derMembers(list)) {
    const parts = derMembers(item);
    const id = objectIdentifier(parts[0]);
    if (partial.has(id)) throw new DerError("is only a part of its issuer's list; give the complete one");
    if (parts.length > 2 && derBoolean(parts[1]) && !harmless.has(id))
      throw new DerError(`has the extension ${id}, which is not understood`);
  }
}

function readRevoked(list: DerValue | undefined): ReadonlyMap<string, number> {
  const revoked = new Map<string, number>();
  if (list === undefined) return revoked;
  for (const entry of derMembers(list, derTag.sequence, maxEntries)) {
    const [serial, date, extensions] = derMembers(entry);
    if (extensions !== undefined) assertExtensions(extensions);
    revoked.set(derSerial(serial), derTime(date));
  }
  return revoked;
}

const isTime = (value: DerValue | undefined): boolean =>
  value?.tag === derTag.utcTime || value?.tag === derTag.generalizedTime;

type Body = Pick<Crl, "issuer" | "issuerId" | "validity" | "revoked">;

function readBody(list: readonly DerValue[], algorithm: DerValue): Body {
  const fields = [...list];
  if (fields[0]?.tag === derTag.integer && derInteger(fields.shift()) !== 1)
    throw new DerError("is of an unknown version");
  const [inner, issuer, thisUpdate, nextUpdate, ...rest] = fields;
  if (inner === undefined || !Buffer.from(inner.encoded).equals(algorithm.encoded))
    throw new DerError("names two different signature algorithms");
  if (!isTime(nextUpdate)) throw new DerError("does not say until when it holds (nextUpdate)");
  const entries = rest[0]?.tag === derTag.sequence ? rest.shift() : undefined;
  const [extensions, ...others] = rest;
  if (others.length > 0) throw new DerError("is not built as expected");
  if (extensions !== undefined) assertExtensions(readDer(assertDer(extensions, 0xa0).content)[0]);
  const name = assertDer(issuer, derTag.sequence);
  return {
    issuer: readName(name).text,
    issuerId: Buffer.from(name.encoded).toString("latin1"),
    // The last second counts in full, as with certificates.
    validity: { notBefore: derTime(thisUpdate), notAfter: derTime(nextUpdate) + 999 },
    revoked: readRevoked(entries),
  };
}

function readCrl(der: Uint8Array): Crl {
  if (der.byteLength > maxBytes) throw new DerError(`is larger than ${maxBytes} bytes`);
  const [list, ...after] = readDer(der);
  if (after.length > 0) throw new DerError("is followed by other bytes");
  const [body, algorithm, signature] = derMembers(list);
  if (body === undefined || algorithm === undefined) throw new DerError("is not built as expected");
  const bits = assertDer(signature, derTag.bitString).content;
  if (bits[0] !== 0) throw new DerError("has a signature that is not made of bytes");
  return {
    fingerprint: sha256Hex(der),
    ...readBody(derMembers(body), algorithm),
    signed: body.encoded,
    signature: bits.subarray(1),
    signatureAlgorithm: objectIdentifier(derMembers(algorithm)[0]),
  };
}

/**
 * Reads a complete CRL from DER; its signature is not verified here.
 * @param where names the CRL in messages
 * @throws SignatureError MANIFEST_MALFORMED
 */
export function parseCrl(der: Uint8Array, where: string): Crl {
  try {
    return readCrl(der);
  } catch (cause) {
    if (cause instanceof DerError) throw malformed(`${where} ${cause.message}`, { cause });
    throw cause;
  }
}

function isSignedWith({ signed, signature, signatureAlgorithm }: Crl, key: KeyObject): boolean {
  const algorithm = algorithms.get(signatureAlgorithm);
  if (algorithm === undefined || key.asymmetricKeyType !== algorithm.key) return false;
  try {
    const by = algorithm.key === "ec" ? { key, dsaEncoding: "der" as const } : key;
    return verify(algorithm.hash, signed, by, signature);
  } catch {
    return false;
  }
}

/** Whether this authority issued the CRL: by its name, its key, and the key's usage (RFC 5280, 6.3.3 (f)). */
export const isIssuedCrl = (crl: Crl, { subjectId, publicKey, extensions }: Certificate): boolean =>
  crl.issuerId === subjectId &&
  extensions.authority &&
  extensions.keyUsage?.crlSign !== false &&
  isSignedWith(crl, publicKey);
