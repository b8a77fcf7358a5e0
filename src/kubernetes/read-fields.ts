import { isFields, type Fields } from "../text/fields.ts";
import { SourceError } from "../skill/source-error.ts";

/** The error for a field that breaks the Kubernetes API. */
export const malformed = (field: string, fault: string): SourceError =>
  new SourceError("SOURCE_MALFORMED", `${field} ${fault}`);

/** @throws SourceError SOURCE_MALFORMED if the value is not an object */
export function fieldsAt(value: unknown, field: string): Fields {
  if (isFields(value)) return value;
  throw malformed(field, value === undefined ? "is missing" : "is not an object");
}

/**
 * Undefined for an absent object, or null, as some clients write it.
 * @throws SourceError SOURCE_MALFORMED if the value is not an object
 */
export const optionalFields = (value: unknown, field: string): Fields | undefined =>
  value === undefined || value === null ? undefined : fieldsAt(value, field);

/**
 * A list; empty if absent or null.
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

/**
 * Required text, not empty.
 * @throws SourceError SOURCE_MALFORMED
 */
export function textAt(value: unknown, field: string): string {
  if (typeof value !== "string") throw malformed(field, value === undefined ? "is missing" : "is not text");
  if (value === "") throw malformed(field, "is empty");
  return value;
}

/**
 * Optional text. Absent, null and empty are undefined, as for the API server.
 * @throws SourceError SOURCE_MALFORMED if the value is not text
 */
export function optionalText(value: unknown, field: string): string | undefined {
  return value === undefined || value === null || value === "" ? undefined : textAt(value, field);
}

/**
 * True or false; absent and null are false.
 * @throws SourceError SOURCE_MALFORMED
 */
export function flagAt(value: unknown, field: string): boolean {
  if (value === undefined || value === null) return false;
  if (typeof value === "boolean") return value;
  throw malformed(field, "is not true or false");
}

/**
 * Labels or annotations.
 * @throws SourceError SOURCE_MALFORMED if a value is not text
 */
export function textMapAt(value: unknown, field: string): Readonly<Record<string, string>> {
  const map = optionalFields(value, field) ?? {};
  for (const [key, text] of Object.entries(map)) {
    if (typeof text !== "string")
      throw malformed(`${field}[${JSON.stringify(key.slice(0, 80))}]`, "is not text");
  }
  return map as Readonly<Record<string, string>>;
}
