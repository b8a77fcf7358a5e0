import type { Json } from "../../text/json.ts";
import {
  assertFields,
  assertObject,
  decodeBase64,
  fieldOf,
  textOf,
  type JsonObject,
  readJson,
} from "../json-fields.ts";
import { certificateInPem, readRekorBundle } from "../sigstore/legacy-bundle.ts";
import type { LogProof } from "../sigstore/log/entry.ts";

const signatureName = "dev.cosignproject.cosign/signature";
const certificateName = "dev.sigstore.cosign/certificate";
const bundleName = "dev.sigstore.cosign/bundle";
const timestampName = "dev.sigstore.cosign/rfc3161timestamp";

/** A signature in the annotations of a payload's layer, not verified yet. */
export interface AnnotatedSignature {
  readonly signature: Buffer;
  /** The signer's certificate, base64 of the DER; absent for a signature by a key. */
  readonly certificate?: string;
  readonly proof: LogProof;
}

/** Parses an annotation that holds JSON. Absent if empty: cosign writes both. */
function jsonOf(annotations: JsonObject, name: string): Json | undefined {
  if (fieldOf(annotations, name) === undefined) return undefined;
  const text = textOf(annotations, name, "annotations");
  if (text === "") return undefined;
  return readJson(text, `the annotation ${name}`);
}

function timestampOf(value: Json): Buffer {
  const stamp = assertObject(value, `the annotation ${timestampName}`);
  assertFields(stamp, `the annotation ${timestampName}`, new Set(["SignedRFC3161Timestamp"]));
  const text = textOf(stamp, "SignedRFC3161Timestamp", `the annotation ${timestampName}`);
  return decodeBase64(text, `SignedRFC3161Timestamp of the annotation ${timestampName}`);
}

function certificateOf(annotations: JsonObject): { readonly certificate?: string } {
  if (fieldOf(annotations, certificateName) === undefined) return {};
  const pem = textOf(annotations, certificateName, "annotations");
  return pem === "" ? {} : { certificate: certificateInPem(pem, `the annotation ${certificateName}`) };
}

/**
 * Reads a signature of cosign up to version 2: it is in the annotations of its payload's layer. Intermediate
 * certificates (`dev.sigstore.cosign/chain`) are ignored: those of the trusted root count.
 * @throws SignatureError MANIFEST_MALFORMED
 */
export function readAnnotations(annotations: JsonObject): AnnotatedSignature {
  const signature = decodeBase64(
    textOf(annotations, signatureName, "annotations"),
    `the annotation ${signatureName}`,
  );
  const promise = jsonOf(annotations, bundleName) ?? null;
  const stamp = jsonOf(annotations, timestampName) ?? null;
  return {
    signature,
    ...certificateOf(annotations),
    proof: {
      entries: promise === null ? [] : [readRekorBundle(promise, `the annotation ${bundleName}`)],
      timestamps: stamp === null ? [] : [timestampOf(stamp)],
    },
  };
}
