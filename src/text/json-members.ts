import { endOfString, JsonError, parseStrictJson } from "./json.ts";

/** Members of one object; reviews have some twenty. */
const maxMembers = 256;

const blank = /[ \t\n\r]*/y;

/** Index of the first character that is no blank, from `at` on. */
function behindBlanks(text: string, at: number): number {
  blank.lastIndex = at;
  blank.test(text);
  return blank.lastIndex;
}

const cut = (): JsonError => new JsonError("not JSON: it breaks off at its end");

/** Index behind the bracket that closes the value at `start`. */
function endOfNested(text: string, start: number): number {
  let depth = 0;
  for (let at = start; at < text.length; at += 1) {
    const character = text[at];
    if (character === '"') {
      at = endOfString(text, at);
      if (at === -1) throw cut();
    } else if (character === "{" || character === "[") {
      depth += 1;
    } else if (character === "}" || character === "]") {
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
      if (members.size >= maxMembers) throw new JsonError(`more than ${maxMembers} members in one object`);
      if (members.has(key)) throw new JsonError("ambiguous: an object has the same key twice");
      members.set(key, text.slice(at, end));
      at = behindBlanks(text, end);
    } while (expect(",}") === ",");
  }
  if (at < text.length) throw new JsonError("not a JSON object");
  return members;
}
