import type { Fields } from "../text/fields.ts";
import { JsonError, parseStrictJson, type Json } from "../text/json.ts";
import { malformed } from "./signature-error.ts";
import { quoted } from "../text/printable.ts";

/** A JSON object from the strict reader. */
export type JsonObject = Fields<Json>;

/**
 * Reads untrusted JSON.
 * @param what names it in messages
 * @throws SignatureError MANIFEST_MALFORMED
 */
export function readJson(source: Uint8Array | string, what: string): Json {
  try {
    return parseStrictJson(source);
  } catch (cause) {
    if (cause instanceof JsonError) throw malformed(`${what} is ${cause.message}`, { cause });
    throw cause;
  }
}

/**
 * @param where names the value in messages
 * @throws SignatureError MANIFEST_MALFORMED unless the value is an object
 */
export function assertObject(value: Json | undefined, where: string): JsonObject {
  if (value === undefined) throw malformed(`${where} is missing`);
  if (value === null || typeof value !== "object" || Array.isArray(value)) {
    throw malformed(`${where} is not an object`);
  }
  return value as JsonObject;
}

/**
 * Reads an untrusted JSON object.
 * @param what names it in messages
 * @throws SignatureError MANIFEST_MALFORMED
 */
export const readObject = (source: Uint8Array | string, what: string): JsonObject =>
  assertObject(readJson(source, what), what);

/** @throws SignatureError MANIFEST_MALFORMED for a field that the format does not know */
export function assertFields(object: JsonObject, where: string, known: ReadonlySet<string>): void {
  for (const field of Object.keys(object)) {
    if (!known.has(field)) throw malformed(`${where} has the unknown field ${quoted(field)}`);
  }
}

/** An own field of the object, never an inherited one. */
export const fieldOf = (object: JsonObject, field: string): Json | undefined =>
  Object.hasOwn(object, field) ? object[field] : undefined;

/** @throws SignatureError MANIFEST_MALFORMED unless the field is a list of at most `max` entries */
export function listOf(object: JsonObject, field: string, where: string, max: number): readonly Json[] {
  const value = fieldOf(object, field);
  if (!Array.isArray(value))
    throw malformed(`${where}.${field} is ${value === undefined ? "missing" : "not a list"}`);
  if (value.length > max) throw malformed(`${where}.${field} has more than ${max} entries`);
  return value as readonly Json[];
}

/** @throws SignatureError MANIFEST_MALFORMED unless the field is a string */
export function textOf(object: JsonObject, field: string, where: string): string {
  const value = fieldOf(object, field);
  if (typeof value !== "string")
    throw malformed(`${where}.${field} is ${value === undefined ? "missing" : "not text"}`);
  return value;
}

/**
 * Decodes canonical base64 (RFC 4648, 4): padded, no line breaks, no URL alphabet, no stray bits at the end.
 * @throws SignatureError MANIFEST_MALFORMED
 */
export function decodeBase64(text: string, where: string): Buffer {
  const bytes = Buffer.from(text, "base64");
  if (text === "" || bytes.toString("base64") !== text) throw malformed(`${where} is not plain base64`);
  return bytes;
}
