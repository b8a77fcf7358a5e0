import { JsonError, parseStrictJson, type Json } from "../skill/json.ts";
import { skillLimits } from "../skill/limits.ts";
import { inTotoPayloadType } from "./dsse.ts";
import {
  assertFields,
  assertObject,
  decodeBase64,
  fieldOf,
  listOf,
  textOf,
  type JsonObject,
} from "./json-fields.ts";
import { malformed, quoted, unsupported } from "./signature-error.ts";

/** The one media type that keys and certificates come in. */
export const bundleMediaType = "application/vnd.dev.sigstore.bundle.v0.3+json";

/** Most certificates in one bundle. Real ones have two or three. */
export const maxCertificates = 10;

/** With what the signature is to be checked. */
export type VerificationMaterial =
  | { readonly kind: "publicKey"; readonly hint?: string }
  /** Leaf first; base64 of the DER. */
  | { readonly kind: "certificateChain"; readonly certificates: readonly string[] };

/** A Sigstore bundle around one DSSE envelope with one signature. */
export interface SignatureBundle {
  readonly material: VerificationMaterial;
  /** The payload's bytes as they were signed. */
  readonly payload: Uint8Array;
  readonly signature: Uint8Array;
}

const bundleFields = new Set(["mediaType", "verificationMaterial", "dsseEnvelope"]);
const materialFields = new Set([
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

function parseJson(bytes: Uint8Array): Json {
  if (bytes.byteLength > skillLimits.signatureBytes) {
    throw malformed(`the signature file is larger than ${skillLimits.signatureBytes} bytes`);
  }
  if (bytes.byteLength === 0) throw malformed("the signature file is empty");
  try {
    return parseStrictJson(bytes);
  } catch (cause) {
    if (cause instanceof JsonError) throw malformed(`the signature file is ${cause.message}`, { cause });
    throw cause;
  }
}

/** Nothing that looks like proof may be carried and not be checked. */
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

function publicKeyOf(value: Json): VerificationMaterial {
  const where = "verificationMaterial.publicKey";
  const publicKey = assertObject(value, where);
  // model-signing up to 1.0.1 wrote the key itself (rawBytes, keyDetails); nobody may be trusted for bringing a key.
  assertFields(publicKey, where, publicKeyFields);
  const hint = fieldOf(publicKey, "hint") ?? "";
  if (typeof hint !== "string") throw malformed(`${where}.hint is not text`);
  return hint === "" ? { kind: "publicKey" } : { kind: "publicKey", hint };
}

function chainOf(value: Json): VerificationMaterial {
  const where = "verificationMaterial.x509CertificateChain";
  const chain = assertObject(value, where);
  assertFields(chain, where, chainFields);
  const list = listOf(chain, "certificates", where, maxCertificates);
  if (list.length === 0) throw malformed(`${where}.certificates is empty`);
  const certificates = list.map((item, at) => {
    const certificate = assertObject(item, `certificate ${at + 1} of the chain`);
    assertFields(certificate, `certificate ${at + 1} of the chain`, certificateFields);
    return textOf(certificate, "rawBytes", `certificate ${at + 1} of the chain`);
  });
  return { kind: "certificateChain", certificates };
}

function materialOf(bundle: JsonObject): VerificationMaterial {
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
  const { publicKey, x509CertificateChain: chain } = material;
  if (publicKey === undefined && chain === undefined) {
    throw unsupported(
      "keyless Sigstore signatures are not supported yet: sign with a key or a certificate chain",
    );
  }
  assertNoLog(material);
  return publicKey === undefined ? chainOf(chain ?? null) : publicKeyOf(publicKey);
}

function assertMediaType(bundle: JsonObject): void {
  const mediaType = textOf(bundle, "mediaType", "the bundle");
  if (mediaType === bundleMediaType) return;
  throw unsupported(`the bundle's media type is ${quoted(mediaType)}, expected ${bundleMediaType}`);
}

function signatureOf(envelope: JsonObject): Uint8Array {
  const signatures = listOf(envelope, "signatures", "dsseEnvelope", 1_000);
  if (signatures.length !== 1) {
    throw malformed(`dsseEnvelope has ${signatures.length} signatures, expected exactly one`);
  }
  const signature = assertObject(signatures[0], "dsseEnvelope.signatures[0]");
  assertFields(signature, "dsseEnvelope.signatures[0]", signatureFields);
  // Not signed and not used (DSSE protocol v1.0.2): any text, or none.
  const keyid = fieldOf(signature, "keyid") ?? "";
  if (typeof keyid !== "string") throw malformed("dsseEnvelope.signatures[0].keyid is not text");
  return decodeBase64(
    textOf(signature, "sig", "dsseEnvelope.signatures[0]"),
    "dsseEnvelope.signatures[0].sig",
  );
}

/**
 * Reads a Sigstore bundle (sigstore_bundle.proto, v0.3) as OpenSSF Model Signing uses it. Our own parser: the one of
 * `@sigstore/bundle` refuses certificate chains under this media type, which every real catalogue has.
 *
 * Unknown fields are refused at every level, as the reference does, and what it repairs is accepted: absent
 * `tlogEntries`, an absent `hint`, the key that older versions wrote out.
 * @throws SignatureError MANIFEST_MALFORMED or UNSUPPORTED_FORMAT
 */
export function parseBundle(bytes: Uint8Array): SignatureBundle {
  const bundle = assertObject(parseJson(bytes), "the bundle");
  assertMediaType(bundle);
  assertFields(bundle, "the bundle", bundleFields);
  const material = materialOf(bundle);
  const envelope = assertObject(fieldOf(bundle, "dsseEnvelope"), "dsseEnvelope");
  assertFields(envelope, "dsseEnvelope", envelopeFields);
  const payloadType = textOf(envelope, "payloadType", "dsseEnvelope");
  if (payloadType !== inTotoPayloadType) {
    throw unsupported(`the payload's type is ${quoted(payloadType)}, expected ${inTotoPayloadType}`);
  }
  const payload = decodeBase64(textOf(envelope, "payload", "dsseEnvelope"), "dsseEnvelope.payload");
  return { material, payload, signature: signatureOf(envelope) };
}
