import { isFields, type Fields } from "../text/fields.ts";
import { SourceError } from "../skill/source-error.ts";

/** A JSON object of which nothing is known yet. */
/** Bounds on one pod. The API server's own bound is the object's size, about 1.5 MiB; no real pod comes near these. */
export const podLimits = {
  containers: 200,
  volumes: 500,
  /** Volume mounts of one container. */
  mounts: 500,
  /** Items, or environment variables, of one list. */
  items: 20_000,
  /** Names of one volume that are mounted by `subPath`, above which all of it is read. */
  subPaths: 100,
  /** ConfigMaps and Secrets that are read for one pod; each holds at most 1 MiB. */
  objects: 200,
  /** Keys of these objects that are mounted, of all together. */
  mountedKeys: 50_000,
  /** Bytes of these keys; also of the skills that are verified for one pod, each mount of one at another path by itself. */
  mountedBytes: 64 * 1024 * 1024,
  /** Files of all containers together, a file that two containers see counted twice. */
  placedFiles: 200_000,
  /** Skills that are verified for one pod, one that several containers see at one path counted once. */
  skills: 500,
  /** Characters of a path inside a container (PATH_MAX). */
  pathLength: 4096,
  /** Components of such a path. */
  pathDepth: 64,
} as const;

/** The error for a field that is not what the Kubernetes API says it is. */
export const malformed = (field: string, fault: string): SourceError =>
  new SourceError("SOURCE_MALFORMED", `${field} ${fault}`);

/** @throws SourceError SOURCE_MALFORMED where the value is no object */
export function fieldsAt(value: unknown, field: string): Fields {
  if (isFields(value)) return value;
  throw malformed(field, value === undefined ? "is missing" : "is not an object");
}

/** An absent object (or null, as some clients write it) is undefined. */
export const optionalFields = (value: unknown, field: string): Fields | undefined =>
  value === undefined || value === null ? undefined : fieldsAt(value, field);

/**
 * A list; an absent one (or null) is empty.
 * @throws SourceError SOURCE_MALFORMED, or LIMIT_EXCEEDED above `limit` entries
 */
export function listAt(value: unknown, field: string, limit: number): readonly unknown[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw malformed(field, "is not a list");
  if (value.length > limit) {
    throw new SourceError(
      "LIMIT_EXCEEDED",
      `${field} has ${value.length} entries, more than ${limit}; use fewer`,
    );
  }
  return value as readonly unknown[];
}

/** Text that must be there and not be empty. */
export function textAt(value: unknown, field: string): string {
  if (typeof value !== "string") throw malformed(field, value === undefined ? "is missing" : "is not text");
  if (value === "") throw malformed(field, "is empty");
  return value;
}

/** Text; absent, null and empty are all undefined, as they are for the API server. */
export function optionalText(value: unknown, field: string): string | undefined {
  return value === undefined || value === null || value === "" ? undefined : textAt(value, field);
}

/** True or false; absent is false. */
export function flagAt(value: unknown, field: string): boolean {
  if (value === undefined || value === null) return false;
  if (typeof value === "boolean") return value;
  throw malformed(field, "is not true or false");
}

/** Labels or annotations. */
export function textMapAt(value: unknown, field: string): Readonly<Record<string, string>> {
  const map = optionalFields(value, field) ?? {};
  for (const [key, text] of Object.entries(map)) {
    if (typeof text !== "string")
      throw malformed(`${field}[${JSON.stringify(key.slice(0, 80))}]`, "is not text");
  }
  return map as Readonly<Record<string, string>>;
}
