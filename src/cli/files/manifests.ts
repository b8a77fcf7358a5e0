import { type Fields, isFields } from "../../text/fields.ts";
import type { Dirent } from "node:fs";
import { readdir, readFile, realpath, stat } from "node:fs/promises";
import { extname, join, sep } from "node:path";

import { JsonError, parseStrictJson, type Json } from "../../text/json.ts";
import type { KubernetesObject } from "../../kubernetes/object.ts";
import { isListKind } from "../../policy/resource/kinds.ts";
import { UsageError, type CommandLine } from "../command-line.ts";
import { ioMessage } from "./file-faults.ts";

/** An object, and where it came from: for messages and reports. */
export interface Manifest {
  readonly object: KubernetesObject;
  /** The file, or `-` for standard input. */
  readonly file: string;
}

const maxBytes = 64 * 1024 * 1024;
const maxFiles = 10_000;
const extensions: ReadonlySet<string> = new Set([".yaml", ".yml", ".json"]);

/**
 * Is this a file to read: also behind a link, as for `kubectl`. What is behind a link to a folder stands in the folder itself
 * (the volume of a ConfigMap), or would be passed over: a policy or revocation list there must be named.
 */
async function isManifest(entry: Dirent, folder: string): Promise<boolean> {
  const path = join(entry.parentPath, entry.name);
  const isNamed = extensions.has(extname(entry.name));
  if (!entry.isSymbolicLink()) return entry.isFile() && isNamed;
  const target = await stat(path).catch((cause: unknown) => {
    if (isNamed) throw cause;
  });
  if (target?.isDirectory() !== true) return isNamed;
  if (`${await realpath(path)}${sep}`.startsWith(`${await realpath(folder)}${sep}`)) return false;
  throw new UsageError(
    `${path} is a link to another folder, which is not followed`,
    "name that folder itself, or remove the link",
  );
}

/** The same file under several names counts once: a volume of a ConfigMap holds links to what it also holds. */
async function distinct(files: readonly string[]): Promise<readonly string[]> {
  const seen = new Map<string, string>();
  for (const file of files) {
    const target = await realpath(file);
    if (!seen.has(target)) seen.set(target, file);
  }
  return [...seen.values()];
}

/** The manifests below a folder, in the order of their names, or the file itself. */
async function filesOf(path: string): Promise<readonly string[]> {
  try {
    if (!(await stat(path)).isDirectory()) return [path];
    const entries = await readdir(path, { recursive: true, withFileTypes: true });
    const files: string[] = [];
    for (const entry of entries)
      if (await isManifest(entry, path)) files.push(join(entry.parentPath, entry.name));
    if (files.length > maxFiles)
      throw new UsageError(`${path} has more than ${maxFiles} manifests`, "name fewer");
    if (files.length === 0) throw new UsageError(`${path} has no .yaml, .yml or .json files`);
    return await distinct(files.sort());
  } catch (cause) {
    if (cause instanceof UsageError) throw cause;
    throw new UsageError(`cannot read ${path}: ${ioMessage(cause)}`, undefined, { cause });
  }
}

async function read(file: string, { readStdin }: Pick<CommandLine, "readStdin">): Promise<Uint8Array> {
  if (file === "-") return readStdin();
  try {
    const { size } = await stat(file);
    if (size > maxBytes) throw new UsageError(`${file} is larger than ${maxBytes / 1024 ** 2} MiB`);
    return await readFile(file);
  } catch (cause) {
    if (cause instanceof UsageError) throw cause;
    throw new UsageError(`cannot read ${file}: ${ioMessage(cause)}`, undefined, { cause });
  }
}

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: false });

async function parse(file: string, bytes: Uint8Array): Promise<readonly Json[]> {
  if (bytes.byteLength > maxBytes) throw new UsageError(`${file} is larger than ${maxBytes / 1024 ** 2} MiB`);
  try {
    // JSON is YAML too, but reading it as such takes many times as long.
    if (bytes[0] === 0x7b) return [parseStrictJson(bytes)];
  } catch (cause) {
    if (!(cause instanceof JsonError)) throw cause;
    if (extname(file) === ".json")
      throw new UsageError(`${file}: ${cause.message}`, "correct the file", { cause });
  }
  const { parseStrictYamlDocuments, YamlError } = await import("../../text/yaml.ts");
  try {
    const options = { schema: "core", maxBytes, maxTokens: 2_000_000 } as const;
    return parseStrictYamlDocuments(utf8.decode(bytes), options).map(({ value }) => value);
  } catch (cause) {
    if (cause instanceof YamlError)
      throw new UsageError(`${file}: ${cause.message}`, "correct the file", { cause });
    throw new UsageError(`${file} is not UTF-8`, "save it as UTF-8", { cause });
  }
}

/** The objects in one document: the items of a List each by themselves. */
function objectsIn(value: Json, file: string): readonly KubernetesObject[] {
  if (!isFields(value)) {
    throw new UsageError(
      `${file}: a document is not a Kubernetes object`,
      "every document needs apiVersion and kind",
    );
  }
  const { apiVersion, kind, items } = value;
  if (typeof apiVersion !== "string" || typeof kind !== "string") {
    throw new UsageError(`${file}: an object has no apiVersion or kind`, "give it both");
  }
  if (kind === "List" && !Array.isArray(items))
    throw new UsageError(`${file}: a List has no items`, "give it a list of objects");
  if (!isListKind(kind) || !Array.isArray(items)) return [value];
  // Items of typed lists (PodList) leave out what the list says already.
  const typed: Fields<Json> = kind === "List" ? {} : { apiVersion, kind: kind.slice(0, -"List".length) };
  return (items as readonly Json[]).flatMap((item) =>
    objectsIn(isFields(item) ? { ...typed, ...item } : item, file),
  );
}

/**
 * Reads manifests as `kubectl apply` takes them: files or whole folders of YAML or JSON, several documents in one,
 * Lists, `-` for standard input.
 * @throws UsageError for what cannot be read or is not made of Kubernetes objects
 */
export async function readManifests(
  paths: readonly string[],
  line: Pick<CommandLine, "readStdin">,
): Promise<readonly Manifest[]> {
  if (paths.filter((path) => path === "-").length > 1) {
    throw new UsageError("standard input (-) is named twice", "it can be read only once");
  }
  const manifests: Manifest[] = [];
  for (const path of paths) {
    for (const file of path === "-" ? ["-"] : await filesOf(path)) {
      const documents = await parse(file, await read(file, line));
      for (const document of documents) {
        for (const object of objectsIn(document, file)) manifests.push({ object, file });
      }
    }
  }
  return manifests;
}
