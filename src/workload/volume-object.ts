import { isFields } from "../skill/fields.ts";
import { SkillFile } from "../skill/skill.ts";
import { SourceError } from "../skill/source-error.ts";
import type { VolumeObject, VolumeObjectRef } from "../skill/source.ts";
import type { KubernetesObject } from "./kubernetes-object.ts";

/** Bytes of all values together: the API server's own bound (`MaxSecretSize`) on ConfigMaps and Secrets. */
const maxBytes = 1024 * 1024;
const maxKeyLength = 253;
const keyPattern = /^[-._a-zA-Z0-9]+$/;
const base64Pattern = /^[A-Za-z0-9+/]*={0,2}$/;

/** Name of an object in messages: `ConfigMap payments/skills-etl`. */
export const describeRef = (ref: VolumeObjectRef): string => `${ref.kind} ${ref.namespace}/${ref.name}`;

/** Names which the kubelet could not write as files, by the API server's rules for keys (`IsConfigMapKey`). */
function keyFault(key: string): string | undefined {
  if (key.length > maxKeyLength) return `is longer than ${maxKeyLength} characters`;
  if (!keyPattern.test(key)) return "may hold letters, digits, '-', '_' and '.' only";
  if (key === "." || key.startsWith("..")) return 'may not be "." nor begin with ".."';
  return undefined;
}

/** Base64 as Go reads it in JSON: standard alphabet, padded, line breaks ignored; here no other spelling of the same bytes. */
function decodeBase64(text: string): Uint8Array | undefined {
  const compact = text.replaceAll(/[\r\n]/g, "");
  if (compact.length % 4 !== 0 || !base64Pattern.test(compact)) return undefined;
  const bytes = Buffer.from(compact, "base64");
  return bytes.toString("base64") === compact ? bytes : undefined;
}

const fromText = (text: string): Uint8Array | undefined =>
  text.isWellFormed() ? Buffer.from(text, "utf8") : undefined;

type Decode = (text: string) => Uint8Array | undefined;

/** The maps of each kind that hold values, in the order in which they apply, with how a value is decoded. */
const sections: Readonly<
  Record<VolumeObjectRef["kind"], readonly { field: string; decode: Decode; as: string }[]>
> = {
  ConfigMap: [
    { field: "data", decode: fromText, as: "well-formed text" },
    { field: "binaryData", decode: decodeBase64, as: "base64" },
  ],
  Secret: [{ field: "data", decode: decodeBase64, as: "base64" }],
};

function decodeFiles(object: KubernetesObject, ref: VolumeObjectRef): ReadonlyMap<string, SkillFile> {
  const values = new Map<string, Uint8Array>();
  const refuse = (what: string): never => {
    throw new SourceError("SOURCE_MALFORMED", `${describeRef(ref)}: ${what}`);
  };
  let bytes = 0;
  for (const { field, decode, as } of sections[ref.kind]) {
    const section = object[field] ?? {};
    if (!isFields(section)) return refuse(`${field} is not a map`);
    for (const [key, value] of Object.entries(section)) {
      const named = `the key ${JSON.stringify(key.slice(0, maxKeyLength))} in ${field}`;
      const fault = keyFault(key);
      if (fault !== undefined) refuse(`${named} ${fault}`);
      if (values.has(key)) refuse(`${named} is in data too; keep one`);
      const content = typeof value === "string" ? decode(value) : undefined;
      if (content === undefined) return refuse(`${named} does not hold ${as}`);
      bytes += content.byteLength;
      if (bytes > maxBytes) {
        throw new SourceError(
          "LIMIT_EXCEEDED",
          `${describeRef(ref)} holds more than ${maxBytes} bytes; split it, "skill-admission package" does that`,
        );
      }
      values.set(key, content);
    }
  }
  return inOneBuffer(values, bytes);
}

/**
 * Files that share one buffer of exactly their size. What is decoded from short text lies in slabs of Node's, of which
 * a single value would keep the whole: twice the memory, where thousands of objects are kept.
 */
function inOneBuffer(values: ReadonlyMap<string, Uint8Array>, size: number): ReadonlyMap<string, SkillFile> {
  const all = Buffer.allocUnsafeSlow(size);
  const files = new Map<string, SkillFile>();
  let end = 0;
  for (const [key, value] of values) {
    const start = end;
    end += value.byteLength;
    all.set(value, start);
    files.set(key, new SkillFile(all.subarray(start, end)));
  }
  return files;
}

/**
 * Reads a ConfigMap (`data` is text, `binaryData` base64) or a Secret (`data` is base64) into bytes.
 *
 * @param object as it came from the API server or from a file
 * @param fallbackVersion the resource version of an object that has none, as in a file
 * @throws SourceError SOURCE_MALFORMED or LIMIT_EXCEEDED, naming object and key
 */
export function decodeVolumeObject(
  object: KubernetesObject,
  ref: VolumeObjectRef,
  fallbackVersion = "",
): VolumeObject {
  const metadata = isFields(object.metadata) ? object.metadata : {};
  const text = (value: unknown, otherwise: string): string =>
    typeof value === "string" && value !== "" ? value : otherwise;
  const immutable = object["immutable"];
  if (immutable !== undefined && immutable !== null && typeof immutable !== "boolean")
    throw new SourceError("SOURCE_MALFORMED", `${describeRef(ref)}: immutable is not true or false`);
  return {
    kind: ref.kind,
    namespace: ref.namespace,
    name: ref.name,
    uid: text(metadata["uid"], ""),
    resourceVersion: text(metadata["resourceVersion"], fallbackVersion),
    immutable: immutable === true,
    files: decodeFiles(object, ref),
  };
}

/** `stringData` of a Secret is written by people and turned into `data` by the API server. */
export function withStringData(object: KubernetesObject, ref: VolumeObjectRef): KubernetesObject {
  const text = object["stringData"];
  if (ref.kind !== "Secret" || typeof text !== "object" || text === null) return object;
  const encoded = Object.entries(text).map(([key, value]: [string, unknown]) => [
    key,
    typeof value === "string" ? Buffer.from(value, "utf8").toString("base64") : value,
  ]);
  const data = object["data"];
  return {
    ...object,
    data: { ...(typeof data === "object" ? data : {}), ...(Object.fromEntries(encoded) as object) },
  };
}
