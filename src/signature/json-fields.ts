import type { Fields } from "../text/fields.ts";
import { JsonError, parseStrictJson, type Json } from "../text/json.ts";
import { malformed } from "./signature-error.ts";
import { quoted } from "../text/printable.ts";

/** A JSON object that was read strictly. */
export type JsonObject = Fields<Json>;

/** Reads JSON of unknown origin. @throws SignatureError where it is none. `what` names it for people. */
export function readJson(source: Uint8Array | string, what: string): Json {
  try {
    return parseStrictJson(source);
  } catch (cause) {
    if (cause instanceof JsonError) throw malformed(`${what} is ${cause.message}`, { cause });
    throw cause;
  }
}

/** @throws SignatureError where the value is no object. `where` names it for people. */
export function assertObject(value: Json | undefined, where: string): JsonObject {
  if (value === undefined) throw malformed(`${where} is missing`);
  if (value === null || typeof value !== "object" || Array.isArray(value)) {
    throw malformed(`${where} is not an object`);
  }
  return value as JsonObject;
}

/** Reads JSON of unknown origin that has to be an object. @throws SignatureError where it is none */
export const readObject = (source: Uint8Array | string, what: string): JsonObject =>
  assertObject(readJson(source, what), what);

/** @throws SignatureError where the object has a field that the format does not know. */
export function assertFields(object: JsonObject, where: string, known: ReadonlySet<string>): void {
  for (const field of Object.keys(object)) {
    if (!known.has(field)) throw malformed(`${where} has the unknown field ${quoted(field)}`);
  }
}

/** The object's own field; never one that all objects inherit. */
export const fieldOf = (object: JsonObject, field: string): Json | undefined =>
  Object.hasOwn(object, field) ? object[field] : undefined;

/** @throws SignatureError where the field is no list, or one longer than `max`. */
export function listOf(object: JsonObject, field: string, where: string, max: number): readonly Json[] {
  const value = fieldOf(object, field);
  if (!Array.isArray(value))
    throw malformed(`${where}.${field} is ${value === undefined ? "missing" : "not a list"}`);
  if (value.length > max) throw malformed(`${where}.${field} has more than ${max} entries`);
  return value as readonly Json[];
}

/** @throws SignatureError where the field is no text. */
export function textOf(object: JsonObject, field: string, where: string): string {
  const value = fieldOf(object, field);
  if (typeof value !== "string")
    throw malformed(`${where}.${field} is ${value === undefined ? "missing" : "not text"}`);
  return value;
}

/**
 * Base64 with its padding, in the one form that these bytes have (RFC 4648, 4): no line breaks, no URL alphabet, no
 * stray bits at the end.
 * @throws SignatureError
 */
export function decodeBase64(text: string, where: string): Buffer {
  const bytes = Buffer.from(text, "base64");
  if (text === "" || bytes.toString("base64") !== text) throw malformed(`${where} is not plain base64`);
  return bytes;
}
