import { jsonFaultOf } from "./json-fault.ts";

/** Text that is not JSON, or that two readers could understand differently. */
export class JsonError extends Error {
  override readonly name = "JsonError";
}

/** More values than the caller reads. */
export class TooManyValues extends JsonError {
  /** The whole text, decoded. */
  readonly text: string;

  constructor(text: string, limit: number) {
    super(`made of more than ${limit} values`);
    this.text = text;
  }
}

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

const maxDepth = 64;
/**
 * Values of one text, unless the caller bounds them closer. Seven megabytes of `{},` would take a hundred megabytes as
 * objects; real reviews have some thousand values.
 */
const maxValues = 1_000_000;

/**
 * Counts the values of a text without making them: each but the first stands behind a comma, or behind a bracket that is
 * not closed at once. Never throws: a text that is no JSON is the parser's to refuse.
 * @returns whether there are more than `limit`
 */
export function hasMoreValues(text: string, limit: number): boolean {
  if (text.length <= limit) return false;
  let values = 1;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === quotation) {
      at = endOfString(text, at);
      if (at === -1) return false;
    } else if (code === comma || ((code === brace || code === bracket) && !isClosing(text, at + 1))) {
      values += 1;
      if (values > limit) return true;
    }
  }
  return false;
}

/** Counts the members of a valid JSON text: its colons outside strings. */
function countMembersInText(text: string): number {
  let members = 0;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === colon) members += 1;
    else if (code === quotation) at = endOfString(text, at);
  }
  return members;
}

const comma = 0x2c;
const bracket = 0x5b;
const brace = 0x7b;
const colon = 0x3a;
const quotation = 0x22;
const backslash = 0x5c;

/** Whether a closing bracket stands there. Blanks before it are rare enough to count for a value. */
const isClosing = (text: string, at: number): boolean => {
  const code = text.charCodeAt(at);
  return code === bracket + 2 || code === brace + 2;
};

/** Index of the quote that ends the string, -1 if none does; `indexOf` makes long strings cheap. */
export function endOfString(text: string, start: number): number {
  let end = text.indexOf('"', start + 1);
  while (text.charCodeAt(end - 1) === backslash && isEscaped(text, end)) end = text.indexOf('"', end + 1);
  return end;
}

function isEscaped(text: string, quote: number): boolean {
  let slashes = 0;
  while (text.charCodeAt(quote - 1 - slashes) === backslash) slashes += 1;
  return slashes % 2 === 1;
}

const isNested = (value: Json): value is readonly Json[] | JsonObject =>
  typeof value === "object" && value !== null;

interface JsonObject {
  readonly [key: string]: Json;
}

/** Whether a number was too large for a double: written out again, it would be null. */
const isTooLarge = (value: Json | undefined): boolean => value === Infinity || value === -Infinity;

const tooLarge = (): JsonError => new JsonError("ambiguous: a number is too large");

/** Counts the members of a value at all levels. Every review runs it: it allocates nothing. */
function countMembers(value: readonly Json[] | JsonObject, depth: number): number {
  if (depth >= maxDepth) throw new JsonError(`nested deeper than ${maxDepth} levels`);
  let members = 0;
  if (Array.isArray(value)) {
    for (const item of value as readonly Json[]) {
      if (isNested(item)) members += countMembers(item, depth + 1);
      else if (isTooLarge(item)) throw tooLarge();
    }
    return members;
  }
  const object = value as JsonObject;
  for (const key in object) {
    // V8 13.6 takes a key with an escape for one that it has read before and that ends where the escape begins.
    if (key.charCodeAt(key.length - 1) === backslash)
      throw new JsonError("ambiguous: a key ends with a backslash");
    members += 1;
    const item = object[key];
    if (item !== undefined && isNested(item)) members += countMembers(item, depth + 1);
    else if (isTooLarge(item)) throw tooLarge();
  }
  return members;
}

/**
 * Whether the text can hold `__proto__` or half of a surrogate pair. Decoded UTF-8 holds the latter only as an
 * escape, and the former plainly or with some letters escaped.
 */
const mayHide = (text: string): boolean =>
  text.includes("\\u") ? /__proto__|\\u(?:d|005f|006f|007[024])/i.test(text) : text.includes("__proto__");

function assertHarmless(value: Json): void {
  if (typeof value === "string" && !value.isWellFormed()) {
    throw new JsonError("ambiguous: a string holds half of a surrogate pair");
  }
  if (!isNested(value)) return;
  if (Array.isArray(value)) {
    for (const item of value as readonly Json[]) assertHarmless(item);
    return;
  }
  for (const [key, item] of Object.entries(value)) {
    if (key === "__proto__") throw new JsonError('ambiguous: an object has the key "__proto__"');
    if (!key.isWellFormed()) throw new JsonError("ambiguous: a key holds half of a surrogate pair");
    assertHarmless(item);
  }
}

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * Parses JSON of unknown origin strictly: UTF-8 without byte order mark, no duplicate keys (RFC 8259, section 4,
 * leaves their meaning open, and readers differ), no `__proto__`, no lone surrogates, at most 64 levels and
 * `limit` values, by default a million.
 * @throws JsonError
 */
export function parseStrictJson(source: Uint8Array | string, limit = maxValues): Json {
  let text = "";
  let value: Json;
  try {
    text = typeof source === "string" ? source : utf8.decode(source);
    if (hasMoreValues(text, limit)) throw new TooManyValues(text, limit);
    value = JSON.parse(text) as Json;
  } catch (cause) {
    if (cause instanceof JsonError) throw cause;
    if (cause instanceof TypeError) throw new JsonError("not UTF-8", { cause });
    const why = text.startsWith("\ufeff") ? "it begins with a byte order mark" : jsonFaultOf(text);
    // Without its cause: the message of that one quotes the text.
    throw new JsonError(`not JSON: ${why}`);
  }
  const members = isNested(value) ? countMembers(value, 0) : 0;
  if (typeof source === "string" || mayHide(text)) assertHarmless(value);
  if (members !== countMembersInText(text))
    throw new JsonError("ambiguous: an object has the same key twice");
  return value;
}
