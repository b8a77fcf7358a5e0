/**
 * Control and format characters (bidirectional, zero-width, tags), line and paragraph separators, and letters without
 * a visible form: they would let a name forge lines, colours or reading direction in a terminal or log, or hide text
 * from people that a model reads (CVE-2021-42574).
 */
const hostile = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\u034f\u115f\u1160\u3164\uffa0]/gu;

/** Characters of these that end a line, or the text, for some reader. */
const breaking = /[\p{Cc}\p{Zl}\p{Zp}]/u;

/** Does a text hold a character of those that `printable` shows by their number. */
export const hasHostile = (text: string): boolean => text.search(hostile) !== -1;

/** Is a text one line to every reader; joined emoji and such may be in it. */
export const isOneLine = (text: string): boolean => !breaking.test(text);

function escape(character: string): string {
  const code = (character.codePointAt(0) ?? 0).toString(16).padStart(4, "0");
  return code.length === 4 ? `\\u${code}` : `\\u{${code}}`;
}

/** Escapes text of unknown origin for one line of output, at most `limit` characters long. */
export function printable(text: string, limit = 200): string {
  const safe = text.toWellFormed().replace(hostile, escape);
  return safe.length <= limit ? safe : `${safe.slice(0, limit - 1).toWellFormed()}…`;
}

/** Escapes text that has lines of its own; each may have `limit` characters. */
export const printableLines = (text: string, limit = 2000): string =>
  text
    .split("\n")
    .map((line) => printable(line, limit))
    .join("\n");

/**
 * Escapes text of unknown origin as a JSON string, quotes included: the text cannot end its own string. A cut text
 * ends in "…" before the quote; `JSON.parse` gives back an uncut one.
 *
 * @param limit characters before escaping
 */
export function quoted(text: string, limit = 100): string {
  const whole = text.toWellFormed();
  const shown = whole.length <= limit ? whole : `${whole.slice(0, limit - 1).toWellFormed()}…`;
  return JSON.stringify(shown).replace(hostile, (character) =>
    [...Array(character.length).keys()]
      .map((index) => `\\u${character.charCodeAt(index).toString(16).padStart(4, "0")}`)
      .join(""),
  );
}
