import type { Json } from "../../text/json.ts";
import { skillLimits } from "../../skill/limits.ts";
import {
  assertFields,
  assertObject,
  decodeBase64,
  fieldOf,
  textOf,
  type JsonObject,
  readJson,
} from "../json-fields.ts";
import { malformed, unsupported } from "../signature-error.ts";
import { quoted } from "../../text/printable.ts";
import { readLogProof, type LogProof } from "../sigstore/log/entry.ts";
import { vettFileNames } from "./manifest.ts";

/** A registry's parsed bundle, not verified yet. */
export interface VettBundle {
  /** Name of the registry's key. */
  readonly hint: string;
  /** SHA-256 of the signed bytes, as the bundle states it; hex. */
  readonly digest: string;
  /** ECDSA, DER. */
  readonly signature: Uint8Array;
  readonly proof: LogProof;
}

/**
 * Media types that the registry's library writes, and its next release. 0.1 is left out: it permits bundles without
 * inclusion proof.
 */
const mediaTypes: ReadonlySet<string> = new Set([
  "application/vnd.dev.sigstore.bundle+json;version=0.2",
  "application/vnd.dev.sigstore.bundle+json;version=0.3",
  "application/vnd.dev.sigstore.bundle.v0.3+json",
]);

const bundleFields = new Set(["mediaType", "verificationMaterial", "messageSignature"]);
const materialFields = new Set(["publicKey", "tlogEntries", "timestampVerificationData"]);
const messageFields = new Set(["messageDigest", "signature"]);
const digestFields = new Set(["algorithm", "digest"]);

function parseJson(bytes: Uint8Array): Json {
  if (bytes.byteLength > skillLimits.signatureBytes)
    throw malformed(`${vettFileNames.bundle} is larger than ${skillLimits.signatureBytes} bytes`);
  return readJson(bytes, vettFileNames.bundle);
}

function memberOf(object: JsonObject, field: string, where: string, known: ReadonlySet<string>): JsonObject {
  const member = assertObject(fieldOf(object, field), where);
  assertFields(member, where, known);
  return member;
}

function hintOf(material: JsonObject): string {
  const where = "verificationMaterial.publicKey";
  const hint = textOf(memberOf(material, "publicKey", where, new Set(["hint"])), "hint", where);
  if (hint === "")
    throw malformed(`${where}.hint is empty: it says by which of the registry's keys it was signed`);
  return hint;
}

function proofOf(material: JsonObject): LogProof {
  const proof = readLogProof(material, "verificationMaterial");
  // Two entries would leave open which one proves the time.
  if (proof.entries.length !== 1) {
    throw malformed(
      `verificationMaterial.tlogEntries has ${proof.entries.length} entries, expected exactly one`,
    );
  }
  return proof;
}

function digestOf(message: JsonObject): string {
  const where = "messageSignature.messageDigest";
  const stated = memberOf(message, "messageDigest", where, digestFields);
  const algorithm = textOf(stated, "algorithm", where);
  if (algorithm !== "SHA2_256")
    throw unsupported(`${where}.algorithm is ${quoted(algorithm)}, expected SHA2_256`);
  const digest = decodeBase64(textOf(stated, "digest", where), `${where}.digest`);
  if (digest.byteLength !== 32) throw malformed(`${where}.digest is no SHA-256 digest`);
  return digest.toString("hex");
}

/**
 * Reads the bundle over a registry's manifest (sigstore_bundle.proto, 0.2 or 0.3): a key's hint, a message signature,
 * and one log entry with its inclusion proof.
 * @throws SignatureError MANIFEST_MALFORMED or UNSUPPORTED_FORMAT
 */
export function parseVettBundle(bytes: Uint8Array): VettBundle {
  const bundle = assertObject(parseJson(bytes), "the bundle");
  const mediaType = textOf(bundle, "mediaType", "the bundle");
  if (!mediaTypes.has(mediaType))
    throw unsupported(
      `the bundle's media type is ${quoted(mediaType)}, expected ${[...mediaTypes].join(" or ")}`,
    );
  assertFields(bundle, "the bundle", bundleFields);
  const material = memberOf(bundle, "verificationMaterial", "verificationMaterial", materialFields);
  const message = memberOf(bundle, "messageSignature", "messageSignature", messageFields);
  return {
    hint: hintOf(material),
    digest: digestOf(message),
    signature: decodeBase64(textOf(message, "signature", "messageSignature"), "messageSignature.signature"),
    proof: proofOf(material),
  };
}
