import { isFields, type Fields } from "../text/fields.ts";
import { skillLimits } from "../skill/limits.ts";
import { replacementCharacter } from "../skill/path.ts";
import { SkillFile } from "../skill/skill.ts";
import { SourceError } from "../skill/source-error.ts";
import type { VolumeObject, VolumeObjectRef, VolumeObjectRequest } from "../skill/source.ts";
import { defined } from "../text/fields.ts";
import { memoizeByObject } from "../text/memoize-by-object.ts";
import { createdAtOf, type KubernetesObject } from "./object.ts";

/** Bytes of all values together: the API server's own limit (`MaxSecretSize`) on ConfigMaps and Secrets. */
const maxBytes = 1024 * 1024;
const maxKeyLength = 253;
const keyPattern = /^[-._a-zA-Z0-9]+$/;
const base64Pattern = /^[A-Za-z0-9+/]*={0,2}$/;

/** An object's name in messages: `ConfigMap payments/skills-etl`. */
export const describeRef = (ref: VolumeObjectRef): string => `${ref.kind} ${ref.namespace}/${ref.name}`;

/** Key of a ConfigMap or Secret within one namespace: `ConfigMap/skills-etl`. */
export const volumeObjectKey = (ref: Pick<VolumeObjectRef, "kind" | "name">): string =>
  `${ref.kind}/${ref.name}`;

/** The fault of a key by the API server's rules (`IsConfigMapKey`): the kubelet could not write it as a file. */
function keyFault(key: string): string | undefined {
  if (key.length > maxKeyLength) return `is longer than ${maxKeyLength} characters`;
  if (!keyPattern.test(key)) return "may hold letters, digits, '-', '_' and '.' only";
  if (key === "." || key.startsWith("..")) return 'may not be "." nor begin with ".."';
  return undefined;
}

/** A value that can be decoded into a buffer, with the bytes that it takes there. */
interface Decodable {
  readonly text: string;
  readonly encoding: "utf8" | "base64";
  readonly size: number;
}

/**
 * Reads base64 as Go does in JSON: standard alphabet, padded, line breaks ignored. Other spellings of the same bytes,
 * which differ in the last characters, are refused.
 */
function base64In(text: string): Decodable | undefined {
  const compact = /[\r\n]/.test(text) ? text.replaceAll(/[\r\n]/g, "") : text;
  if (compact.length % 4 !== 0 || !base64Pattern.test(compact)) return undefined;
  const end = compact.slice(-4);
  if (Buffer.from(end, "base64").toString("base64") !== end) return undefined;
  return { text: compact, encoding: "base64", size: Buffer.byteLength(compact, "base64") };
}

const textIn = (text: string): Decodable | undefined =>
  text.isWellFormed() ? { text, encoding: "utf8", size: Buffer.byteLength(text) } : undefined;

type Decode = (text: string) => Decodable | undefined;

/** The fields that hold values, by kind, with their decoding. */
const sections: Readonly<
  Record<VolumeObjectRef["kind"], readonly { field: string; decode: Decode; as: string }[]>
> = {
  ConfigMap: [
    { field: "data", decode: textIn, as: "well-formed text" },
    { field: "binaryData", decode: base64In, as: "base64" },
  ],
  Secret: [{ field: "data", decode: base64In, as: "base64" }],
};

interface Entry {
  readonly key: string;
  readonly value: unknown;
  readonly field: string;
  readonly decode: Decode;
  readonly as: string;
}

const refuse = (ref: VolumeObjectRef, what: string): SourceError =>
  new SourceError("SOURCE_MALFORMED", `${describeRef(ref)}: ${what}`);

const named = ({ key, field }: Entry): string =>
  `the key ${JSON.stringify(key.slice(0, maxKeyLength))} in ${field}`;

const keysIn = (section: Fields, { keys }: VolumeObjectRequest): readonly string[] =>
  keys === undefined ? Object.keys(section) : [...keys].filter((key) => Object.hasOwn(section, key));

/** The requested entries, not yet decoded: an object of 1 MiB has room for 200,000 keys. */
function entriesOf(object: KubernetesObject, request: VolumeObjectRequest): readonly Entry[] {
  const entries: Entry[] = [];
  for (const { field, decode, as } of sections[request.kind]) {
    const section = object[field] ?? {};
    if (!isFields(section)) throw refuse(request, `${field} is not a map`);
    const keys = keysIn(section, request);
    if (entries.length + keys.length > skillLimits.files) {
      throw new SourceError(
        "LIMIT_EXCEEDED",
        `${describeRef(request)} brings in more than ${skillLimits.files} keys; mount only those that are needed, by items or subPath`,
      );
    }
    for (const key of keys) entries.push({ key, value: section[key], field, decode, as });
  }
  return entries;
}

function decodeFiles(
  object: KubernetesObject,
  request: VolumeObjectRequest,
): Pick<VolumeObject, "files" | "doubtful"> {
  const values = new Map<string, Decodable>();
  const doubtful = new Set<string>();
  let bytes = 0;
  for (const entry of entriesOf(object, request)) {
    const { key, value, decode, as } = entry;
    const fault = keyFault(key);
    if (fault !== undefined) throw refuse(request, `${named(entry)} ${fault}`);
    if (values.has(key)) throw refuse(request, `${named(entry)} is in data too; keep one`);
    const content = typeof value === "string" ? decode(value) : undefined;
    if (content === undefined) throw refuse(request, `${named(entry)} does not hold ${as}`);
    bytes += content.size;
    if (bytes > maxBytes) {
      throw new SourceError(
        "LIMIT_EXCEEDED",
        `${describeRef(request)} holds more than ${maxBytes} bytes; split it, "skill-admission package" does that`,
      );
    }
    values.set(key, content);
    if (typeof value === "string" && value.includes(replacementCharacter)) doubtful.add(key);
  }
  return { files: inOneBuffer(values, bytes), ...(doubtful.size === 0 ? {} : { doubtful }) };
}

/**
 * Decodes all files into one buffer of exactly their size. Short decoded values would lie in shared slabs of Node.js,
 * and one value would keep its whole slab: twice the memory for thousands of objects.
 */
function inOneBuffer(values: ReadonlyMap<string, Decodable>, size: number): ReadonlyMap<string, SkillFile> {
  const all = Buffer.allocUnsafeSlow(size);
  const files = new Map<string, SkillFile>();
  let end = 0;
  for (const [key, value] of values) {
    const start = end;
    end += value.size;
    all.write(value.text, start, value.size, value.encoding);
    files.set(key, new SkillFile(all.subarray(start, end)));
  }
  return files;
}

/** Whether all requested keys were decoded. */
export const holdsKeys = ({ keys }: VolumeObject, request: VolumeObjectRequest): boolean =>
  keys === undefined || (request.keys !== undefined && request.keys.values().every((key) => keys.has(key)));

/** The object with the requested keys only: decisions must not depend on how much was decoded before. */
export function onlyKeys(object: VolumeObject, { keys }: VolumeObjectRequest): VolumeObject {
  return keys === undefined || object.keys === keys ? object : narrowed(object)(keys);
}

/** By identity of the object and of the set of keys: what is remembered of an object must be found with its next read. */
const narrowed = memoizeByObject((object: VolumeObject) =>
  memoizeByObject((keys: ReadonlySet<string>): VolumeObject => {
    const files = new Map(object.files.entries().filter(([key]) => keys.has(key)));
    return { ...object, keys, files };
  }),
);

/**
 * Names one state of one object: every write raises `resourceVersion`, and an object that is created again has another `uid`.
 * Empty if one of the two is missing, as in a file.
 */
export function identityOf({ metadata }: KubernetesObject): string {
  const { uid, resourceVersion } = isFields(metadata) ? metadata : {};
  const known = [uid, resourceVersion].every((part) => typeof part === "string" && part !== "");
  return known ? `${String(uid)}/${String(resourceVersion)}` : "";
}

/**
 * Decodes a ConfigMap (`data` is text, `binaryData` base64) or a Secret (`data` is base64).
 *
 * @param object as received from the API server or read from a file
 * @throws SourceError SOURCE_MALFORMED or LIMIT_EXCEEDED, naming object and key
 */
export function decodeVolumeObject(object: KubernetesObject, request: VolumeObjectRequest): VolumeObject {
  const immutable = object["immutable"];
  if (immutable !== undefined && immutable !== null && typeof immutable !== "boolean")
    throw refuse(request, "immutable is not true or false");
  return {
    ...request,
    identity: identityOf(object),
    immutable: immutable === true,
    ...defined({ createdAt: createdAtOf(object) }),
    ...decodeFiles(object, request),
  };
}

/** Merges `stringData` of a Secret into `data`, as the API server does on writing. */
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
