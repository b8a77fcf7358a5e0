import type { Json } from "../../text/json.ts";
import { skillLimits } from "../../skill/limits.ts";
import { inTotoPayloadType } from "./dsse.ts";
import {
  assertFields,
  assertObject,
  decodeBase64,
  fieldOf,
  listOf,
  textOf,
  type JsonObject,
  readJson,
} from "../json-fields.ts";
import { readLogProof, type LogProof } from "./log/entry.ts";
import { malformed, unsupported } from "../signature-error.ts";
import { quoted } from "../../text/printable.ts";

/** Media type of v0.3, the only one for keys and chains of long-lived certificates. */
export const bundleMediaType = "application/vnd.dev.sigstore.bundle.v0.3+json";

/** Older media types of Sigstore's clients, for keyless signatures only. */
const olderMediaTypes: ReadonlySet<string> = new Set(
  ["0.1", "0.2", "0.3"].map((version) => `application/vnd.dev.sigstore.bundle+json;version=${version}`),
);

/** Limit of certificates in a bundle. Real ones have two or three. */
export const maxCertificates = 10;

/** Verification material of a bundle. */
export type VerificationMaterial =
  | { readonly kind: "publicKey"; readonly hint?: string }
  /** Leaf first; base64 of the DER. */
  | { readonly kind: "certificateChain"; readonly certificates: readonly string[] }
  /** A certificate for one signature, with proof of its time. Leaf first, base64 of the DER. */
  | { readonly kind: "keyless"; readonly certificates: readonly string[]; readonly proof: LogProof };

/** A Sigstore bundle with one DSSE envelope and one signature. */
export interface SignatureBundle {
  readonly material: VerificationMaterial;
  /** The payload's bytes, as signed. */
  readonly payload: Uint8Array;
  readonly signature: Uint8Array;
}

const bundleFields = new Set(["mediaType", "verificationMaterial", "dsseEnvelope"]);
/** Fields of `verificationMaterial`. */
export const materialFields: ReadonlySet<string> = new Set([
  "publicKey",
  "x509CertificateChain",
  "certificate",
  "tlogEntries",
  "timestampVerificationData",
]);
const publicKeyFields = new Set(["hint", "rawBytes", "keyDetails"]);
const chainFields = new Set(["certificates"]);
const certificateFields = new Set(["rawBytes"]);
const envelopeFields = new Set(["payload", "payloadType", "signatures"]);
const signatureFields = new Set(["sig", "keyid"]);

/**
 * A `keyid` is neither signed nor used (DSSE protocol v1.0.2): anybody can change it, so it must be a name, not text
 * that an agent could take for instructions.
 */
const keyName = /^[!-~]{0,256}$/;

/** @throws SignatureError MANIFEST_MALFORMED for a file that is too large or no strict JSON */
export function parseBundleJson(bytes: Uint8Array): Json {
  if (bytes.byteLength > skillLimits.signatureBytes) {
    throw malformed(`the signature file is larger than ${skillLimits.signatureBytes} bytes`);
  }
  if (bytes.byteLength === 0) throw malformed("the signature file is empty");
  return readJson(bytes, "the signature file");
}

/** Refuses log entries and timestamps beside a key or chain: proof that is not verified must not be carried. */
function assertNoLog(material: JsonObject): void {
  const entries = fieldOf(material, "tlogEntries") ?? [];
  if (!Array.isArray(entries)) throw malformed("verificationMaterial.tlogEntries is not a list");
  if (entries.length > 0) {
    throw unsupported(
      "the signature carries transparency log entries beside a key or a chain, which are not supported",
    );
  }
  const stamps = fieldOf(material, "timestampVerificationData") ?? null;
  if (stamps === null) return;
  const list = fieldOf(
    assertObject(stamps, "verificationMaterial.timestampVerificationData"),
    "rfc3161Timestamps",
  );
  const empty = list === undefined || (Array.isArray(list) && list.length === 0);
  if (!empty || Object.keys(stamps).length > 1) {
    throw unsupported("the signature carries timestamps beside a key or a chain, which are not supported");
  }
}

/** Reads a bundle's public key: at most a hint. */
export function publicKeyOf(value: Json): Extract<VerificationMaterial, { kind: "publicKey" }> {
  const where = "verificationMaterial.publicKey";
  const publicKey = assertObject(value, where);
  // model-signing up to 1.0.1 wrote the key itself (rawBytes, keyDetails). It is ignored: a bundle's own key proves
  // nothing.
  assertFields(publicKey, where, publicKeyFields);
  const hint = fieldOf(publicKey, "hint") ?? "";
  if (typeof hint !== "string") throw malformed(`${where}.hint is not text`);
  return hint === "" ? { kind: "publicKey" } : { kind: "publicKey", hint };
}

/** Reads base64 of a certificate's DER. */
export function certificateOf(item: Json | undefined, where: string): string {
  const certificate = assertObject(item, where);
  assertFields(certificate, where, certificateFields);
  return textOf(certificate, "rawBytes", where);
}

/** Reads base64 of the DER of a chain's certificates, leaf first. */
export function chainOf(value: Json): readonly string[] {
  const where = "verificationMaterial.x509CertificateChain";
  const chain = assertObject(value, where);
  assertFields(chain, where, chainFields);
  const list = listOf(chain, "certificates", where, maxCertificates);
  if (list.length === 0) throw malformed(`${where}.certificates is empty`);
  return list.map((item, at) => certificateOf(item, `certificate ${at + 1} of the chain`));
}

/**
 * Reads the log proof. `tlogEntries` is required, though it may be empty for a root that requires timestamps alone
 * (OMS, bundle.schema.json).
 */
function logProofOf(material: JsonObject, where: string): LogProof {
  listOf(material, "tlogEntries", where, Infinity);
  return readLogProof(material, where);
}

function materialOf(bundle: JsonObject, mediaType: string): VerificationMaterial {
  const material = assertObject(fieldOf(bundle, "verificationMaterial"), "verificationMaterial");
  assertFields(material, "verificationMaterial", materialFields);
  const given = ["publicKey", "x509CertificateChain", "certificate"].filter((field) =>
    Object.hasOwn(material, field),
  );
  if (given.length !== 1) {
    throw malformed(
      "verificationMaterial must have exactly one of publicKey, x509CertificateChain and certificate",
    );
  }
  const { publicKey, x509CertificateChain: chain, certificate } = material;
  const where = "verificationMaterial";
  if (certificate !== undefined) {
    const certificates = [certificateOf(certificate, `${where}.certificate`)];
    return { kind: "keyless", certificates, proof: logProofOf(material, where) };
  }
  if (mediaType !== bundleMediaType && chain !== undefined)
    return { kind: "keyless", certificates: chainOf(chain), proof: logProofOf(material, where) };
  if (mediaType !== bundleMediaType) throw unsupported(`a key needs the media type ${bundleMediaType}`);
  assertNoLog(material);
  return publicKey === undefined
    ? { kind: "certificateChain", certificates: chainOf(chain ?? null) }
    : publicKeyOf(publicKey);
}

/** @throws SignatureError UNSUPPORTED_FORMAT for media types other than those of v0.1 to v0.3 */
export function mediaTypeOf(bundle: JsonObject): string {
  const mediaType = textOf(bundle, "mediaType", "the bundle");
  if (mediaType === bundleMediaType || olderMediaTypes.has(mediaType)) return mediaType;
  throw unsupported(`the bundle's media type is ${quoted(mediaType)}, expected ${bundleMediaType}`);
}

function signatureOf(envelope: JsonObject): Uint8Array {
  const signatures = listOf(envelope, "signatures", "dsseEnvelope", 1_000);
  if (signatures.length !== 1) {
    throw malformed(`dsseEnvelope has ${signatures.length} signatures, expected exactly one`);
  }
  const signature = assertObject(signatures[0], "dsseEnvelope.signatures[0]");
  assertFields(signature, "dsseEnvelope.signatures[0]", signatureFields);
  const keyid = fieldOf(signature, "keyid") ?? "";
  if (typeof keyid !== "string" || !keyName.test(keyid))
    throw malformed(
      "dsseEnvelope.signatures[0].keyid is not a name without blanks of at most 256 characters",
    );
  return decodeBase64(
    textOf(signature, "sig", "dsseEnvelope.signatures[0]"),
    "dsseEnvelope.signatures[0].sig",
  );
}

/**
 * Reads the DSSE envelope of an in-toto statement, with exactly one signature.
 * @throws SignatureError MANIFEST_MALFORMED or UNSUPPORTED_FORMAT
 */
export function envelopeOf(bundle: JsonObject): Pick<SignatureBundle, "payload" | "signature"> {
  const envelope = assertObject(fieldOf(bundle, "dsseEnvelope"), "dsseEnvelope");
  assertFields(envelope, "dsseEnvelope", envelopeFields);
  const payloadType = textOf(envelope, "payloadType", "dsseEnvelope");
  if (payloadType !== inTotoPayloadType) {
    throw unsupported(`the payload's type is ${quoted(payloadType)}, expected ${inTotoPayloadType}`);
  }
  const payload = decodeBase64(textOf(envelope, "payload", "dsseEnvelope"), "dsseEnvelope.payload");
  return { payload, signature: signatureOf(envelope) };
}

/**
 * Reads a Sigstore bundle (sigstore_bundle.proto, v0.3) as OpenSSF Model Signing uses it. The parser is our own:
 * `@sigstore/bundle` refuses certificate chains under this media type, which every real catalogue has.
 *
 * Unknown fields are refused at every level, as by the reference. Its repairs are made too: absent `tlogEntries`, an
 * absent `hint`, the written-out key of older versions.
 * @throws SignatureError MANIFEST_MALFORMED or UNSUPPORTED_FORMAT
 */
export function parseBundle(bytes: Uint8Array): SignatureBundle {
  const bundle = assertObject(parseBundleJson(bytes), "the bundle");
  const mediaType = mediaTypeOf(bundle);
  assertFields(bundle, "the bundle", bundleFields);
  const material = materialOf(bundle, mediaType);
  return { material, ...envelopeOf(bundle) };
}
