/** Characters that readers of YAML 1.1 and 1.2 take literally in a block: printable, no line break of their own. */
const blockSafe =
  /^[\n\u0020-\u007e\u00a0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\u{10000}-\u{10ffff}]+$/u;

/** Characters that double quotes must escape, beside those that JSON escapes. */
const unprintable = /[\u007f-\u009f\u2028\u2029\ufeff\ufffe\uffff]/g;

const unicodeEscape = (character: string): string =>
  `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;

/** String in double quotes, which readers of YAML and JSON understand alike. */
export const quotedScalar = (text: string): string =>
  JSON.stringify(text).replace(unprintable, unicodeEscape);

/**
 * True if every reader gives a literal block of this text back byte for byte. Readers differ over blocks without text
 * and over lines of blanks.
 */
const fitsBlock = (text: string): boolean =>
  blockSafe.test(text) &&
  !text.startsWith("\n") &&
  !text.endsWith("\n\n") &&
  !/(?:^|\n) +(?:\n|$)/.test(text);

/**
 * String as the value of a key at column `indent`: a literal block where that is exact, for legibility, else in
 * double quotes.
 */
export function stringScalar(text: string, indent: number): string {
  if (!text.includes("\n") || !fitsBlock(text)) return quotedScalar(text);
  const keepsEnd = text.endsWith("\n");
  const lines = (keepsEnd ? text.slice(0, -1) : text).split("\n");
  const margin = " ".repeat(indent + 2);
  const body = lines.map((line) => (line === "" ? "" : `${margin}${line}`)).join("\n");
  // Explicit indentation indicator (YAML 1.2, 8.1.1.1): without it, leading blanks of the text would be lost.
  return `|2${keepsEnd ? "" : "-"}\n${body}`;
}
