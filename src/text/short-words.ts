import { printable } from "./printable.ts";

/** What a word keeps at least: no reason code is longer, and a name or path is still known by its ends. */
const shortest = 20;

/** Takes out the middle of a text, since the ends of names and paths tell most. */
export function withoutMiddle(text: string, limit: number): string {
  if (text.length <= limit) return text;
  const kept = limit - 1;
  const head = text.slice(0, Math.ceil(kept / 2)).toWellFormed();
  return `${head}…${text.slice(text.length - Math.floor(kept / 2)).toWellFormed()}`;
}

/**
 * Escapes text of unknown origin for one line of output, as `printable` does. Where it is too long, the middle of its
 * longest words goes first: those are names and paths, and the words around them say what is wrong.
 */
export function shortWords(text: string, limit: number): string {
  const whole = printable(text, Infinity);
  if (whole.length <= limit) return whole;
  const words = whole.split(" ");
  const length = (most: number): number =>
    words.reduce((sum, word) => sum + Math.min(word.length, most), words.length - 1);
  let most = limit;
  while (most > shortest && length(most) > limit) most -= 1;
  return printable(words.map((word) => withoutMiddle(word, most)).join(" "), limit);
}
