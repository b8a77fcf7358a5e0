import { defined, isFields } from "../../text/fields.ts";
import { JsonError, parseStrictJson, type Json } from "../../text/json.ts";
import { parseStrictYamlDocuments, YamlError } from "../../text/yaml.ts";
import type { ManifestObject } from "../../kubernetes/manifest-object.ts";
import { isListKind } from "../../policy/resource/kinds.ts";

/** Bounds on one manifest file. */
export const manifestLimits = {
  /** Bytes of one file. */
  bytes: 8 * 1024 * 1024,
  /** Lexical tokens of one YAML file: they bound the time to read it to a few seconds. */
  tokens: 1_000_000,
  /** Objects in one file, items of lists included. */
  objects: 20_000,
} as const;

/** Manifests that cannot be used: every problem, each with its file. */
export class ManifestError extends Error {
  override readonly name = "ManifestError";
  readonly problems: readonly string[];

  constructor(problems: readonly string[], options?: ErrorOptions) {
    super(problems.join("\n"), options);
    this.problems = problems;
  }
}

function documentsOf(text: string, file: string): readonly { readonly value: Json; readonly line: number }[] {
  try {
    if (file.endsWith(".json")) return [{ value: parseStrictJson(text), line: 1 }];
    return parseStrictYamlDocuments(text, {
      schema: "core",
      maxBytes: manifestLimits.bytes,
      maxTokens: manifestLimits.tokens,
    });
  } catch (cause) {
    if (cause instanceof YamlError || cause instanceof JsonError)
      throw new ManifestError([`${file}: ${cause.message}`], { cause });
    throw cause;
  }
}

/** Opens a `List`, and typed lists such as `ConfigMapList`, whose items may omit their kind. */
function flatten(value: Json, depth: number): readonly Json[] {
  if (!isFields(value) || typeof value["kind"] !== "string" || !isListKind(value["kind"])) return [value];
  const items = value["items"];
  if (!Array.isArray(items)) return [value];
  if (depth > 3) throw new RangeError("lists nested deeper than 3 levels");
  const { kind, apiVersion } = value;
  const itemKind = kind === "List" ? undefined : kind.slice(0, -"List".length);
  return items.flatMap((item: Json) =>
    flatten(
      isFields(item) && itemKind !== undefined && itemKind !== ""
        ? { ...defined({ apiVersion }), kind: itemKind, ...item }
        : item,
      depth + 1,
    ),
  );
}

function toObject(value: Json): ManifestObject | string {
  if (!isFields(value)) return "is not an object";
  const { apiVersion, kind, metadata } = value;
  if (typeof apiVersion !== "string" || apiVersion === "") return "has no apiVersion";
  if (typeof kind !== "string" || kind === "") return "has no kind";
  if (!isFields(metadata)) return `(${kind}) has no metadata`;
  const { name, namespace } = metadata;
  if (typeof name !== "string" || name === "") return `(${kind}) has no metadata.name`;
  if (namespace !== undefined && typeof namespace !== "string")
    return `(${kind} ${name}) has a metadata.namespace that is not text`;
  return { apiVersion, kind, name, namespace: namespace === "" ? undefined : namespace, object: value };
}

/**
 * Reads the objects of one manifest file: YAML with any number of documents, or JSON; lists are opened.
 *
 * @param file its name, for messages; `.json` is read as JSON, all else as YAML
 * @throws ManifestError with every problem
 */
export function parseManifests(text: string, file: string): readonly ManifestObject[] {
  const objects: ManifestObject[] = [];
  const problems: string[] = [];
  for (const { value, line } of documentsOf(text, file)) {
    const where = `${file}: the object at line ${line}`;
    try {
      for (const item of flatten(value, 0)) {
        const object = toObject(item);
        if (typeof object === "string") problems.push(`${where} ${object}`);
        else objects.push(object);
      }
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      problems.push(`${where}: ${error.message}`);
    }
  }
  if (objects.length > manifestLimits.objects)
    problems.push(`${file}: more than ${manifestLimits.objects} objects; split the file`);
  if (problems.length > 0) throw new ManifestError(problems);
  return objects;
}
