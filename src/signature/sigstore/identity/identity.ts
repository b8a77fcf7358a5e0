import type { Certificate } from "../../x509/certificate.ts";
import { derMembers, DerError, derTag, objectIdentifier, readDer, type DerValue } from "../../x509/der.ts";
import { malformed } from "../../signature-error.ts";
import { hasHostile } from "../../../text/printable.ts";
import { claimArcs, fulcio, type CertificateClaim } from "./claims.ts";

/** Identity in a Fulcio certificate, with its claims about the build that signed. */
export interface CertificateIdentity {
  /** The only subject alternative name: an e-mail address, a URI, or an otherName of Fulcio's. */
  readonly identity: string;
  /** URL of the OpenID Connect issuer that vouched for it. */
  readonly issuer: string;
  readonly claims: Readonly<Partial<Record<CertificateClaim, string>>>;
}

const subjectAlternativeName = "2.5.29.17";

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * Decodes text that people read and policies compare: not empty, and no control characters, which could hide part of
 * it.
 */
function readText(bytes: Uint8Array): string {
  let text: string;
  try {
    text = decoder.decode(bytes);
  } catch (cause) {
    throw new DerError("holds a name that is not UTF-8", { cause });
  }
  if (text === "" || hasHostile(text))
    throw new DerError("holds a name that is empty or has control characters");
  return text;
}

function onlyValue(bytes: Uint8Array, tag: number): DerValue {
  const [value, ...others] = readDer(bytes);
  if (value?.tag !== tag || others.length > 0)
    throw new DerError("holds a name that is not built as expected");
  return value;
}

const utf8String = (bytes: Uint8Array): string => readText(onlyValue(bytes, derTag.utf8String).content);

/** Context tags of GeneralName (RFC 5280, 4.2.1.6). */
const generalName = { otherName: 0xa0, email: 0x81, uri: 0x86, otherValue: 0xa0 } as const;

function nameOf({ tag, content }: DerValue): string {
  if (tag === generalName.email || tag === generalName.uri) return readText(content);
  const [kind, value] = tag === generalName.otherName ? readDer(content) : [];
  // Fulcio's form for user names that are no addresses.
  if (kind !== undefined && value?.tag === generalName.otherValue && objectIdentifier(kind) === `${fulcio}.7`)
    return utf8String(value.content);
  throw new DerError("names its subject in a way that is not understood");
}

/**
 * Reads the only identity, for Fulcio gives every certificate one: of several, verifiers could compare different ones.
 */
function identityOf(values: ReadonlyMap<string, Uint8Array>): string {
  const extension = values.get(subjectAlternativeName);
  const names = extension === undefined ? [] : derMembers(readDer(extension)[0]);
  const [name, ...others] = names;
  if (name === undefined || others.length > 0)
    throw new DerError(`names ${names.length} subjects, expected exactly one`);
  return nameOf(name);
}

/** Reads the issuer from two extensions, which must agree; the older one is text without a DER type. */
function issuerOf(values: ReadonlyMap<string, Uint8Array>): string {
  const [older, newer] = [values.get(`${fulcio}.1`), values.get(`${fulcio}.8`)];
  const said = [
    ...(newer === undefined ? [] : [utf8String(newer)]),
    ...(older === undefined ? [] : [readText(older)]),
  ];
  const [issuer] = said;
  if (issuer === undefined || said.some((other) => other !== issuer))
    throw new DerError("names no issuer of its identity, or two");
  return issuer;
}

/**
 * Reads the identity in a Fulcio certificate.
 * @throws SignatureError MANIFEST_MALFORMED
 */
export function readIdentity({ extensions: { values } }: Certificate): CertificateIdentity {
  try {
    const claims = Object.entries(claimArcs).flatMap(([claim, arc]) => {
      const value = values.get(`${fulcio}.${arc}`);
      return value === undefined ? [] : [[claim, utf8String(value)] as const];
    });
    return { identity: identityOf(values), issuer: issuerOf(values), claims: Object.fromEntries(claims) };
  } catch (cause) {
    if (cause instanceof DerError) throw malformed(`the signing certificate ${cause.message}`, { cause });
    throw cause;
  }
}
