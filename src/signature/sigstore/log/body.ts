import type { Fields } from "../../../text/fields.ts";
import type { Json } from "../../../text/json.ts";
import { decodeBase64, readJson } from "../../json-fields.ts";
import { malformed, SignatureError, unsupported } from "../../signature-error.ts";
import { quoted } from "../../../text/printable.ts";
import type { DigestName } from "../artifact.ts";
import type { LogEntry } from "./entry.ts";

/** A signature as a log recorded it: the body of an entry. */
export interface LoggedSignature {
  readonly signature: Buffer;
  readonly digest: { readonly name: DigestName; readonly value: Buffer };
  /**
   * Input of the digest: the signed bytes (a message, or an envelope's pre-authentication encoding), or the envelope's
   * payload alone.
   */
  readonly of: "signed" | "payload";
  /** DER of the certificate, or of the SubjectPublicKeyInfo for a signature by a key. */
  readonly verifier: { readonly kind: "certificate" | "key"; readonly der: Buffer };
  /** The envelope's payload type, if the entry states it. */
  readonly payloadType?: string;
}

/** Limit of a log entry's body, bytes. Real ones have 3 to 6 KB: a signature, a certificate and digests. */
const maxBody = 65_536;

type Way = readonly (string | number)[];

/** The member at the end of this path; undefined if there is none. */
const at = (value: Json | undefined, way: Way): Json | undefined =>
  way.reduce<Json | undefined>((part, step) => {
    if (part === null || typeof part !== "object" || !Object.hasOwn(part, step)) return undefined;
    return (part as Fields<Json>)[String(step)];
  }, value);

function textAt(spec: Json | undefined, ...way: Way): string {
  const text = at(spec, way);
  if (typeof text === "string") return text;
  throw malformed(`the log entry's body has no ${way.join(".")}`);
}

const bytesAt = (spec: Json | undefined, ...way: Way): Buffer =>
  decodeBase64(textAt(spec, ...way), `${way.join(".")} of the log entry's body`);

const pem = /^-----BEGIN (CERTIFICATE|PUBLIC KEY)-----([A-Za-z0-9+/=\r\n]+)-----END \1-----\s*$/;

/** Reads certificate or key of a Rekor 1 entry: PEM, in base64 once more. */
function pemAt(spec: Json | undefined, ...way: Way): LoggedSignature["verifier"] {
  const [, label, inner] = pem.exec(bytesAt(spec, ...way).toString("latin1")) ?? [];
  if (inner === undefined) throw malformed("the log entry names neither a certificate nor a key in PEM");
  return { kind: label === "CERTIFICATE" ? "certificate" : "key", der: Buffer.from(inner, "base64") };
}

/** Reads certificate or key of a Rekor 2 entry, which labels it. */
function verifierAt(spec: Json | undefined, ...way: Way): LoggedSignature["verifier"] {
  const kind = at(spec, [...way, "x509Certificate"]) === undefined ? "key" : "certificate";
  return { kind, der: bytesAt(spec, ...way, kind === "key" ? "publicKey" : "x509Certificate", "rawBytes") };
}

/** Digest names of Rekor 1, and of the messages of Rekor 2 and of bundles. */
const digestNames: ReadonlyMap<string, DigestName> = new Map([
  ["sha256", "sha256"],
  ["sha384", "sha384"],
  ["sha512", "sha512"],
  ["SHA2_256", "sha256"],
  ["SHA2_384", "sha384"],
  ["SHA2_512", "sha512"],
]);

/** @throws SignatureError UNSUPPORTED_FORMAT */
export function digestNameOf(text: string): DigestName {
  const name = digestNames.get(text);
  if (name === undefined) throw unsupported(`the digest algorithm ${quoted(text)} is not understood`);
  return name;
}

function hexDigestAt(spec: Json | undefined, ...way: Way): LoggedSignature["digest"] {
  const value = textAt(spec, ...way, "value");
  if (!/^[0-9a-f]{64,128}$/.test(value))
    throw malformed(`${way.join(".")} of the log entry's body is not a digest`);
  return { name: digestNameOf(textAt(spec, ...way, "algorithm")), value: Buffer.from(value, "hex") };
}

const digestAt = (spec: Json | undefined, ...way: Way): LoggedSignature["digest"] => ({
  name: digestNameOf(textAt(spec, ...way, "algorithm")),
  value: bytesAt(spec, ...way, "digest"),
});

function assertOneSignature(spec: Json | undefined, ...way: Way): void {
  const list = at(spec, way);
  if (!Array.isArray(list) || list.length !== 1)
    throw malformed("the log entry is not about exactly one signature");
}

type Reader = (spec: Json | undefined) => LoggedSignature;

function readDsse1(spec: Json | undefined): LoggedSignature {
  assertOneSignature(spec, "signatures");
  return {
    signature: bytesAt(spec, "signatures", 0, "signature"),
    digest: hexDigestAt(spec, "payloadHash"),
    of: "payload",
    verifier: pemAt(spec, "signatures", 0, "verifier"),
  };
}

function readDsse2(spec: Json | undefined): LoggedSignature {
  assertOneSignature(spec, "dsseV002", "signatures");
  return {
    signature: bytesAt(spec, "dsseV002", "signatures", 0, "content"),
    digest: digestAt(spec, "dsseV002", "payloadHash"),
    of: "payload",
    verifier: verifierAt(spec, "dsseV002", "signatures", 0, "verifier"),
  };
}

/**
 * Reads an `intoto` entry, with signature and key in base64 twice. The envelope's own digest cannot be recomputed: it
 * covers the envelope's JSON text.
 */
function readIntoto(spec: Json | undefined): LoggedSignature {
  assertOneSignature(spec, "content", "envelope", "signatures");
  const signature = bytesAt(spec, "content", "envelope", "signatures", 0, "sig").toString("latin1");
  return {
    signature: decodeBase64(signature, "the signature of the log entry's body"),
    digest: hexDigestAt(spec, "content", "payloadHash"),
    of: "payload",
    verifier: pemAt(spec, "content", "envelope", "signatures", 0, "publicKey"),
    payloadType: textAt(spec, "content", "envelope", "payloadType"),
  };
}

const readHashedRekord1: Reader = (spec) => ({
  signature: bytesAt(spec, "signature", "content"),
  digest: hexDigestAt(spec, "data", "hash"),
  of: "signed",
  verifier: pemAt(spec, "signature", "publicKey", "content"),
});

const readHashedRekord2: Reader = (spec) => ({
  signature: bytesAt(spec, "hashedRekordV002", "signature", "content"),
  digest: digestAt(spec, "hashedRekordV002", "data"),
  of: "signed",
  verifier: verifierAt(spec, "hashedRekordV002", "signature", "verifier"),
});

/** Entry kinds for signatures over bytes and over envelopes, of Rekor 1 and 2. */
const readers: ReadonlyMap<string, Reader> = new Map([
  ["dsse 0.0.1", readDsse1],
  ["dsse 0.0.2", readDsse2],
  ["intoto 0.0.2", readIntoto],
  ["hashedrekord 0.0.1", readHashedRekord1],
  ["hashedrekord 0.0.2", readHashedRekord2],
]);

function parseBody({ canonicalizedBody }: LogEntry): Json {
  if (canonicalizedBody.byteLength > maxBody) throw malformed("the log entry's body is too large");
  return readJson(canonicalizedBody, "the log entry's body");
}

/**
 * Reads the signature in a log entry. `@sigstore/verify` reads it too, but with a lenient JSON parser and without the
 * certificate: these comparisons are made only here.
 * @throws SignatureError MANIFEST_MALFORMED, UNSUPPORTED_FORMAT, or UNTRUSTED_SIGNER if the body states another kind
 *   than the entry
 */
export function readLogBody(entry: LogEntry): LoggedSignature {
  const { kind, version } = entry.kindVersion;
  const read = readers.get(`${kind} ${version}`);
  if (read === undefined) throw unsupported(`the log entry is of the kind ${quoted(`${kind} ${version}`)}`);
  const body = parseBody(entry);
  if (textAt(body, "kind") !== kind || textAt(body, "apiVersion") !== version) {
    throw new SignatureError("UNTRUSTED_SIGNER", "the log entry says inside that it is of another kind");
  }
  return read(at(body, ["spec"]));
}
