import { sha256 } from "../../skill/digest.ts";
import type { Json } from "../../text/json.ts";
import { assertObject, fieldOf, listOf, textOf, type JsonObject, readJson } from "../json-fields.ts";
import { malformed } from "../signature-error.ts";
import { quoted } from "../../text/printable.ts";

/** A manifest as a registry returned it, possibly with signatures of an image, and blobs of its layers. */
export interface FetchedManifest {
  readonly manifest: Uint8Array;
  /** Bytes by digest, `sha256:…`; layers without signatures may be missing. */
  readonly blobs: ReadonlyMap<string, Uint8Array>;
}

/** A layer of a manifest. */
export interface Layer {
  readonly mediaType: string;
  /** Annotations are unproved: anybody who can push to the repository writes them. */
  readonly annotations: JsonObject;
  /**
   * Returns its bytes, checked against digest and size.
   * @throws SignatureError MANIFEST_MALFORMED
   */
  readonly read: () => Uint8Array;
}

/** The fields of a manifest that are used (OCI image specification 1.1, image manifest). */
export interface SignatureManifest {
  /** Digest of the manifest that this one refers to, `sha256:…`; absent if it refers to none. */
  readonly subject?: string;
  readonly layers: readonly Layer[];
}

/** Limit of a manifest, bytes: registries accept no more. */
const maxManifestBytes = 4 * 1024 * 1024;
/** Limit of layers, each with one signature: cosign adds a layer for each. */
const maxLayers = 64;
/** Limit of a bundle or payload, bytes. Real ones have 1 to 20 KB. */
const maxLayerBytes = 1024 * 1024;

const digestForm = /^sha256:[0-9a-f]{64}$/;

function parse(bytes: Uint8Array): Json {
  if (bytes.byteLength > maxManifestBytes)
    throw malformed(`the manifest is larger than ${maxManifestBytes} bytes`);
  return readJson(bytes, "the manifest");
}

function digestOf(descriptor: JsonObject, where: string): string {
  const digest = textOf(descriptor, "digest", where);
  if (!digestForm.test(digest)) throw malformed(`${where}.digest is not sha256: and 64 hex digits`);
  return digest;
}

/** Reads a blob and checks its digest and size: the registry is not trusted. */
function readBlob(descriptor: JsonObject, where: string, blobs: FetchedManifest["blobs"]): Uint8Array {
  const digest = digestOf(descriptor, where);
  const bytes = blobs.get(digest);
  if (bytes === undefined) throw malformed(`the blob ${digest} of ${where} is not there`);
  if (bytes.byteLength > maxLayerBytes) throw malformed(`${where} is larger than ${maxLayerBytes} bytes`);
  if (fieldOf(descriptor, "size") !== bytes.byteLength || sha256(bytes) !== digest)
    throw malformed(`${where} has other bytes than its digest and size say`);
  return bytes;
}

function layerOf(value: Json, where: string, blobs: FetchedManifest["blobs"]): Layer {
  const descriptor = assertObject(value, where);
  const annotations = fieldOf(descriptor, "annotations");
  return {
    mediaType: textOf(descriptor, "mediaType", where),
    annotations: annotations === undefined ? {} : assertObject(annotations, `${where}.annotations`),
    read: () => readBlob(descriptor, where, blobs),
  };
}

/**
 * Reads a manifest of signatures. Unknown fields are ignored, as the specification requires; used fields are read
 * strictly.
 * @throws SignatureError MANIFEST_MALFORMED
 */
export function readSignatureManifest({ manifest, blobs }: FetchedManifest): SignatureManifest {
  const object = assertObject(parse(manifest), "the manifest");
  if (fieldOf(object, "schemaVersion") !== 2) throw malformed("the manifest's schemaVersion is not 2");
  const layers = listOf(object, "layers", "the manifest", maxLayers);
  const subject = fieldOf(object, "subject");
  return {
    ...(subject === undefined ? {} : { subject: digestOf(assertObject(subject, "subject"), "subject") }),
    layers: layers.map((layer, at) => layerOf(layer, `layers[${at}]`, blobs)),
  };
}

/** @throws SignatureError MANIFEST_MALFORMED if the manifest refers to another image */
export function assertRefersTo({ subject }: SignatureManifest, image: string): void {
  if (subject !== undefined && subject !== image)
    throw malformed(`the manifest's subject is ${quoted(subject)}, not the image ${image}`);
}
