import {
  bundleMediaType,
  certificateOf,
  chainOf,
  envelopeOf,
  materialFields,
  mediaTypeOf,
  parseBundleJson,
  publicKeyOf,
} from "../bundle.ts";
import {
  assertFields,
  assertObject,
  decodeBase64,
  fieldOf,
  textOf,
  type JsonObject,
} from "../../json-fields.ts";
import { malformed } from "../../signature-error.ts";
import type { DigestName } from "../artifact.ts";
import { digestNameOf } from "../log/body.ts";
import { readLogProof, type LogProof } from "../log/entry.ts";

/** Verification material: a key that the verifier has, or a certificate. */
export type ArtifactMaterial =
  | { readonly kind: "publicKey"; readonly hint?: string }
  /** Leaf first; base64 of the DER. The trusted root, not the bundle, provides the chain. */
  | { readonly kind: "certificate"; readonly certificates: readonly string[] };

/** A Sigstore bundle of one artifact, with a signature over the artifact itself or over a statement about it. */
export interface ArtifactBundle {
  readonly material: ArtifactMaterial;
  readonly proof: LogProof;
  readonly signature: Uint8Array;
  readonly content:
    | { readonly kind: "message"; readonly digest: { readonly name: DigestName; readonly value: Uint8Array } }
    /** Bytes of an in-toto statement. */
    | { readonly kind: "statement"; readonly payload: Uint8Array };
}

const bundleFields = new Set(["mediaType", "verificationMaterial", "dsseEnvelope", "messageSignature"]);
const messageFields = new Set(["messageDigest", "signature"]);
const digestFields = new Set(["algorithm", "digest"]);

/**
 * Returns the one of these fields that the object has.
 * @throws SignatureError MANIFEST_MALFORMED for none or several
 */
function only(object: JsonObject, where: string, fields: readonly string[]): string {
  const [field, ...others] = fields.filter((name) => Object.hasOwn(object, name));
  if (field !== undefined && others.length === 0) return field;
  throw malformed(`${where} must have exactly one of ${fields.join(", ")}`);
}

function materialOf(material: JsonObject, mediaType: string): ArtifactMaterial {
  const where = "verificationMaterial";
  const field = only(material, where, ["publicKey", "x509CertificateChain", "certificate"]);
  const value = fieldOf(material, field) ?? null;
  if (field === "publicKey") return publicKeyOf(value);
  if (field === "certificate")
    return { kind: "certificate", certificates: [certificateOf(value, `${where}.certificate`)] };
  if (mediaType === bundleMediaType)
    throw malformed(`${where}.x509CertificateChain is not of this version: it brings one certificate`);
  return { kind: "certificate", certificates: chainOf(value) };
}

function messageOf(bundle: JsonObject): Pick<ArtifactBundle, "signature" | "content"> {
  const message = assertObject(fieldOf(bundle, "messageSignature"), "messageSignature");
  assertFields(message, "messageSignature", messageFields);
  const where = "messageSignature.messageDigest";
  const digest = assertObject(fieldOf(message, "messageDigest"), where);
  assertFields(digest, where, digestFields);
  const name = digestNameOf(textOf(digest, "algorithm", where));
  const value = decodeBase64(textOf(digest, "digest", where), `${where}.digest`);
  const signature = decodeBase64(
    textOf(message, "signature", "messageSignature"),
    "messageSignature.signature",
  );
  return { signature, content: { kind: "message", digest: { name, value } } };
}

function statementOf(bundle: JsonObject): Pick<ArtifactBundle, "signature" | "content"> {
  const { payload, signature } = envelopeOf(bundle);
  return { signature, content: { kind: "statement", payload } };
}

/**
 * Reads a Sigstore bundle of v0.1 to v0.3 (sigstore_bundle.proto) with a message signature or one DSSE envelope,
 * strictly: no repeated key, no unknown field.
 * @throws SignatureError MANIFEST_MALFORMED or UNSUPPORTED_FORMAT
 */
export function parseArtifactBundle(bytes: Uint8Array): ArtifactBundle {
  const bundle = assertObject(parseBundleJson(bytes), "the bundle");
  const mediaType = mediaTypeOf(bundle);
  assertFields(bundle, "the bundle", bundleFields);
  const material = assertObject(fieldOf(bundle, "verificationMaterial"), "verificationMaterial");
  assertFields(material, "verificationMaterial", materialFields);
  const content = only(bundle, "the bundle", ["messageSignature", "dsseEnvelope"]);
  return {
    material: materialOf(material, mediaType),
    proof: readLogProof(material, "verificationMaterial"),
    ...(content === "messageSignature" ? messageOf(bundle) : statementOf(bundle)),
  };
}
