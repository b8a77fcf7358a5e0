/** Text that is not JSON, or is JSON that two readers could understand differently. */
export class JsonError extends Error {
  override readonly name = "JsonError";
}

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

const maxDepth = 64;

/** Members in a JSON text that is known to be valid: strings followed by a colon. */
function countMembersInText(text: string): number {
  let members = 0;
  let at = text.indexOf('"');
  while (at !== -1) {
    let end = text.indexOf('"', at + 1);
    while (isEscaped(text, end)) end = text.indexOf('"', end + 1);
    let next = end + 1;
    while (isBlank(text.charCodeAt(next))) next += 1;
    if (text.charCodeAt(next) === 0x3a) members += 1;
    at = text.indexOf('"', end + 1);
  }
  return members;
}

const isBlank = (code: number): boolean => code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09;

function isEscaped(text: string, quote: number): boolean {
  let slashes = 0;
  while (text.charCodeAt(quote - 1 - slashes) === 0x5c) slashes += 1;
  return slashes % 2 === 1;
}

function countMembers(value: Json, depth: number): number {
  if (typeof value === "string") {
    if (!value.isWellFormed()) throw new JsonError("a string holds half of a surrogate pair");
    return 0;
  }
  if (value === null || typeof value !== "object") return 0;
  if (depth >= maxDepth) throw new JsonError(`nested deeper than ${maxDepth} levels`);
  let members = 0;
  if (Array.isArray(value)) {
    for (const item of value as readonly Json[]) members += countMembers(item, depth + 1);
    return members;
  }
  for (const [key, item] of Object.entries(value)) {
    if (key === "__proto__") throw new JsonError('the key "__proto__" is refused');
    if (!key.isWellFormed()) throw new JsonError("a key holds half of a surrogate pair");
    members += 1 + countMembers(item, depth + 1);
  }
  return members;
}

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * Parses JSON of unknown origin: UTF-8 without a byte order mark, no duplicate keys (RFC 8259 leaves their meaning
 * open, and readers differ), no `__proto__`, no lone surrogates, at most 64 levels.
 * @throws JsonError saying what is wrong
 */
export function parseStrictJson(source: Uint8Array | string): Json {
  let text: string;
  let value: Json;
  try {
    text = typeof source === "string" ? source : utf8.decode(source);
    value = JSON.parse(text) as Json;
  } catch (cause) {
    if (cause instanceof TypeError) throw new JsonError("not UTF-8", { cause });
    throw new JsonError(`not JSON: ${(cause as Error).message.slice(0, 120)}`, { cause });
  }
  if (countMembers(value, 0) !== countMembersInText(text))
    throw new JsonError("an object has the same key twice");
  return value;
}
