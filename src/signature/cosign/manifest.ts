import { sha256 } from "../../skill/digest.ts";
import type { Json } from "../../text/json.ts";
import { assertObject, fieldOf, listOf, textOf, type JsonObject, readJson } from "../json-fields.ts";
import { malformed } from "../signature-error.ts";
import { quoted } from "../../text/printable.ts";

/** A manifest that may hold signatures of an image, as a registry gave it, and the layers that it names. */
export interface FetchedManifest {
  readonly manifest: Uint8Array;
  /** Bytes by their digest, `sha256:…`; those of other layers may be left out. */
  readonly blobs: ReadonlyMap<string, Uint8Array>;
}

/** One layer of a manifest. */
export interface Layer {
  readonly mediaType: string;
  /** What was said of it beside its bytes: by anybody who can write to the repository. */
  readonly annotations: JsonObject;
  /** Its bytes, held against digest and size. @throws SignatureError */
  readonly read: () => Uint8Array;
}

/** What counts in a manifest (OCI image specification 1.1, image manifest). */
export interface SignatureManifest {
  /** The manifest that this one refers to, where it says so: `sha256:…`. */
  readonly subject?: string;
  readonly layers: readonly Layer[];
}

/** Bytes of a manifest; registries take no more. */
const maxManifestBytes = 4 * 1024 * 1024;
/** Signatures of one image in one manifest. cosign adds a layer each time that somebody signs. */
const maxLayers = 64;
/** Bytes of a bundle or payload. Real ones have 1 to 20 KB. */
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

/** Bytes that are not those of the descriptor are not what was asked for, whoever gave them. */
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
 * Reads a manifest of signatures. Fields that are not known are left alone, as the specification asks; what counts is
 * read strictly.
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

/** @throws SignatureError where a manifest says that it belongs to another image */
export function assertRefersTo({ subject }: SignatureManifest, image: string): void {
  if (subject !== undefined && subject !== image)
    throw malformed(`the manifest's subject is ${quoted(subject)}, not the image ${image}`);
}
