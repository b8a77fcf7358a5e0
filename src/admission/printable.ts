/**
 * Characters that would let a name forge lines, colours or reading direction in a terminal or log: control
 * characters, line and paragraph separators, bidirectional controls, zero-width characters (CVE-2021-42574).
 */
const hostile = /[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;

const escape = (character: string): string => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;

/** Text of unknown origin in a form that is safe to print on one line, at most `limit` characters long. */
export function printable(text: string, limit = 200): string {
  const safe = text.toWellFormed().replace(hostile, escape);
  return safe.length <= limit ? safe : `${safe.slice(0, limit - 1).toWellFormed()}…`;
}
