import { type Fields, isFields } from "../../text/fields.ts";
import type { Dirent } from "node:fs";
import { readdir, readFile, realpath, stat } from "node:fs/promises";
import { extname, join, sep } from "node:path";

import { JsonError, parseStrictJson, type Json } from "../../text/json.ts";
import type { KubernetesObject } from "../../kubernetes/object.ts";
import { isListKind } from "../../policy/resource/kinds.ts";
import type { YamlDocument } from "../../text/yaml.ts";
import { UsageError, type CommandLine } from "../command-line.ts";
import { ioMessage } from "./file-faults.ts";
import { marksRendered, refuseRendered } from "./rendered-folders.ts";

/** An object and its source, for messages and reports. */
export interface Manifest {
  readonly object: KubernetesObject;
  /** The file, or `-` for standard input. */
  readonly file: string;
  /** Line at which it begins; absent for an object of a cluster. */
  readonly line?: number;
}

/** File and line, as compilers write it. */
export const placeOf = ({ file, line }: Manifest): string => (line === undefined ? file : `${file}:${line}`);

/** What a file holds, as text has it. */
type Parsed = Omit<YamlDocument, "itemLines"> & Partial<YamlDocument>;

const maxBytes = 64 * 1024 * 1024;
const maxFiles = 10_000;
const extensions: ReadonlySet<string> = new Set([".yaml", ".yml", ".json"]);

/**
 * True for a file to read, also behind a link, as in `kubectl`. A link to a folder inside this one is skipped, as
 * in a ConfigMap's volume; one to another folder is refused: policies or revocation lists there would be missed.
 * @throws UsageError
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

/** A file with several names counts once: a ConfigMap's volume holds each file and a link to it. */
async function distinct(files: readonly string[]): Promise<readonly string[]> {
  const seen = new Map<string, string>();
  for (const file of files) {
    const target = await realpath(file);
    if (!seen.has(target)) seen.set(target, file);
  }
  return [...seen.values()];
}

/** The manifests below a folder in the order of their names, or the file itself. */
async function filesOf(path: string, call: string): Promise<readonly string[]> {
  try {
    if (!(await stat(path)).isDirectory()) {
      refuseRendered([path].filter(marksRendered), path, call);
      return [path];
    }
    const entries = await readdir(path, { recursive: true, withFileTypes: true });
    const markers = entries.filter((entry) => !entry.isDirectory() && marksRendered(entry.name));
    refuseRendered(markers.map(({ parentPath, name }) => join(parentPath, name)).sort(), path, call);
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

/** Templates of Helm are no YAML before they are rendered. */
const yamlRemedy = (bytes: Uint8Array): string =>
  Buffer.from(bytes).includes("{{")
    ? "render it, if it is a template of Helm (helm template CHART), or correct the file"
    : "correct the file";

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: false });

async function parse(file: string, bytes: Uint8Array): Promise<readonly Parsed[]> {
  if (bytes.byteLength > maxBytes) throw new UsageError(`${file} is larger than ${maxBytes / 1024 ** 2} MiB`);
  try {
    // JSON is YAML too, but a YAML reader takes many times as long.
    if (bytes[0] === 0x7b) return [{ value: parseStrictJson(bytes), line: 1 }];
  } catch (cause) {
    if (!(cause instanceof JsonError)) throw cause;
    if (extname(file) === ".json")
      throw new UsageError(`${file}: ${cause.message}`, "correct the file", { cause });
  }
  const { parseStrictYamlDocuments, YamlError } = await import("../../text/yaml.ts");
  try {
    const options = { schema: "core", maxBytes, maxTokens: 2_000_000 } as const;
    return parseStrictYamlDocuments(utf8.decode(bytes), options);
  } catch (cause) {
    if (cause instanceof YamlError)
      throw new UsageError(`${file}: ${cause.message}`, yamlRemedy(bytes), { cause });
    throw new UsageError(`${file} is not UTF-8`, "save it as UTF-8", { cause });
  }
}

/** Objects of one document: the items of a List one by one. */
function objectsIn({ value, line, itemLines = [] }: Parsed, file: string): readonly Manifest[] {
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
  if (!isListKind(kind) || !Array.isArray(items)) return [{ object: value, file, line }];
  // Items of typed lists (PodList) omit kind and apiVersion: the list implies them.
  const typed: Fields<Json> = kind === "List" ? {} : { apiVersion, kind: kind.slice(0, -"List".length) };
  return (items as readonly Json[]).flatMap((item, index) =>
    objectsIn({ value: isFields(item) ? { ...typed, ...item } : item, line: itemLines[index] ?? line }, file),
  );
}

/**
 * Reads manifests as `kubectl apply` does: files or folders of YAML or JSON, several documents per file, Lists, `-`
 * for standard input.
 * @param call what reads standard input in place of a folder of which Helm or kustomize makes the objects: `apply -f -`
 * @throws UsageError for an unreadable file, content that is no Kubernetes object, or standard input without any
 */
export async function readManifests(
  paths: readonly string[],
  line: Pick<CommandLine, "readStdin">,
  call: string,
): Promise<readonly Manifest[]> {
  if (paths.filter((path) => path === "-").length > 1) {
    throw new UsageError("standard input (-) is named twice", "it can be read only once");
  }
  const manifests: Manifest[] = [];
  for (const path of paths) {
    for (const file of path === "-" ? ["-"] : await filesOf(path, call)) {
      const documents = await parse(file, await read(file, line));
      // What breaks off in a pipe leaves nothing, which must not pass.
      if (file === "-" && documents.length === 0)
        throw new UsageError("standard input holds no object", "look at the command that was to write it");
      for (const document of documents)
        for (const manifest of objectsIn(document, file)) manifests.push(manifest);
    }
  }
  return manifests;
}
