import type { Fields } from "./fields.ts";
import { endOfString, JsonError, parseStrictJson, type Json } from "./json.ts";

/** Members of one object; reviews have some twenty. */
const maxMembers = 256;

const blank = /[ \t\n\r]*/y;

/** Index of the first character that is no blank, from `at` on. */
function behindBlanks(text: string, at: number): number {
  blank.lastIndex = at;
  blank.test(text);
  return blank.lastIndex;
}

const [quotation, brace, bracket] = [0x22, 0x7b, 0x5b];

const cut = (): JsonError => new JsonError("not JSON: it breaks off at its end");

/** Index behind the bracket that closes the value at `start`. */
function endOfNested(text: string, start: number): number {
  let depth = 0;
  for (let at = start; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === quotation) {
      at = endOfString(text, at);
      if (at === -1) throw cut();
    } else if (code === brace || code === bracket) {
      depth += 1;
    } else if (code === brace + 2 || code === bracket + 2) {
      depth -= 1;
      if (depth === 0) return at + 1;
    }
  }
  throw cut();
}

/** Index behind the value at `start`. */
function endOfValue(text: string, start: number): number {
  const first = text[start];
  if (first === "{" || first === "[") return endOfNested(text, start);
  if (first === '"') return endOfText(text, start);
  let end = start;
  while (end < text.length && !",}] \t\n\r".includes(text.charAt(end))) end += 1;
  return end;
}

function endOfText(text: string, start: number): number {
  const end = endOfString(text, start);
  if (end === -1) throw cut();
  return end + 1;
}

interface Member {
  readonly key: string;
  /** As text, not read. */
  readonly value: string;
}

/** Cuts a JSON object into its members. */
function* membersIn(text: string): Generator<Member> {
  let at = behindBlanks(text, 0);
  const expect = (characters: string): string => {
    const found = text.charAt(at);
    if (found === "" || !characters.includes(found)) throw new JsonError("not a JSON object");
    at = behindBlanks(text, at + 1);
    return found;
  };
  expect("{");
  if (text[at] === "}") at = behindBlanks(text, at + 1);
  else {
    do {
      if (text[at] !== '"') throw new JsonError("not a JSON object");
      const keyEnd = endOfText(text, at);
      const key = parseStrictJson(text.slice(at, keyEnd)) as string;
      at = behindBlanks(text, keyEnd);
      expect(":");
      const end = endOfValue(text, at);
      yield { key, value: text.slice(at, end) };
      at = behindBlanks(text, end);
    } while (expect(",}") === ",");
  }
  if (at < text.length) throw new JsonError("not a JSON object");
}

const twice = (): JsonError => new JsonError("ambiguous: an object has the same key twice");

/**
 * Cuts a JSON object into its members without reading their values: a review is told by its first fields, and its
 * object may have a hundred thousand values that nobody asks for. What is inside a value is not checked; reading it
 * does that.
 *
 * @param text of a JSON object
 * @returns each member's value as text, by key
 * @throws JsonError if the text is no object, or has a key twice or more than 256 members
 */
export function membersOf(text: string): ReadonlyMap<string, string> {
  const members = new Map<string, string>();
  for (const { key, value } of membersIn(text)) {
    if (members.size >= maxMembers) throw new JsonError(`more than ${maxMembers} members in one object`);
    if (members.has(key)) throw twice();
    members.set(key, value);
  }
  return members;
}

/** Members that are gone through without a pause: some milliseconds. */
const batch = 4096;

/**
 * Reads the members of a JSON object that may have a hundred thousand of them, in small steps: those with these keys, or
 * all. The values of others are not checked.
 *
 * @param yieldToEventLoop lets other work run; its error ends the reading
 * @throws JsonError if the text is no object, or as `parseStrictJson` for its keys and the values that are read
 */
export async function readMembers(
  text: string,
  wanted: ReadonlySet<string> | undefined,
  yieldToEventLoop: () => Promise<void>,
): Promise<Fields<Json>> {
  const keys = new Set<string>();
  const read: [string, Json][] = [];
  for (const { key, value } of membersIn(text)) {
    if (keys.has(key)) throw twice();
    if (key === "__proto__") throw new JsonError('ambiguous: an object has the key "__proto__"');
    keys.add(key);
    if (wanted === undefined || wanted.has(key)) read.push([key, parseStrictJson(value)]);
    if (keys.size % batch === 0) await yieldToEventLoop();
  }
  return Object.fromEntries(read);
}
