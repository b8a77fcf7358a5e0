/** What a YAML 1.1 or 1.2 reader takes literally in a block: printable, and never a line break of its own. */
const blockSafe =
  /^[\n\u0020-\u007e\u00a0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\u{10000}-\u{10ffff}]+$/u;

/** Characters that may not stand unescaped in double quotes beside those that JSON escapes anyway. */
const unprintable = /[\u007f-\u009f\u2028\u2029\ufeff\ufffe\uffff]/g;

const unicodeEscape = (character: string): string =>
  `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;

/** A string in double quotes, which every YAML reader and every JSON reader understands alike. */
export const quotedScalar = (text: string): string =>
  JSON.stringify(text).replace(unprintable, unicodeEscape);

/**
 * Can a text stand as a literal block and come back byte for byte from every reader. Readers differ over a
 * block without a line of text, and over lines of nothing but blanks.
 */
const fitsBlock = (text: string): boolean =>
  blockSafe.test(text) &&
  !text.startsWith("\n") &&
  !text.endsWith("\n\n") &&
  !/(?:^|\n) +(?:\n|$)/.test(text);

/**
 * A string as the value of a key that stands `indent` columns deep: a literal block where that is exact, which
 * keeps documents legible, otherwise in double quotes.
 */
export function stringScalar(text: string, indent: number): string {
  if (!text.includes("\n") || !fitsBlock(text)) return quotedScalar(text);
  const keepsEnd = text.endsWith("\n");
  const lines = (keepsEnd ? text.slice(0, -1) : text).split("\n");
  const margin = " ".repeat(indent + 2);
  const body = lines.map((line) => (line === "" ? "" : `${margin}${line}`)).join("\n");
  // The explicit indentation: without it, a text that begins with blanks would lose them.
  return `|2${keepsEnd ? "" : "-"}\n${body}`;
}
