import { malformed } from "../../signature-error.ts";
import { linearPatterns } from "../lazy-libraries.ts";

/** Limit of a policy's pattern, characters. */
export const maxPatternLength = 512;

/**
 * Limit of the product of all repetitions, for nested ones multiply and RE2 limits each alone. Real patterns have
 * counts of two digits.
 */
const largestRepeat = 100;

/** Whether a pattern begins with `^` and ends with `$`: a reader then sees that it covers the whole identity. */
export const isAnchored = (pattern: string): boolean =>
  pattern.startsWith("^") && pattern.endsWith("$") && !pattern.endsWith("\\$");

function assertFewStates(pattern: string): void {
  const counts = [...pattern.matchAll(/\{(\d{0,9}),?(\d{0,9})\}/g)].map(([, least, most]) =>
    Math.max(Number(least), Number(most)),
  );
  if (counts.reduce((product, count) => product * Math.max(1, count), 1) > largestRepeat)
    throw malformed(`the pattern repeats more than ${largestRepeat} times; use * or +`);
}

/**
 * Compiles a pattern for identities in RE2's syntax: no look-around, no back-references, and time linear in the
 * identity. Globs would not do: they cannot distinguish `v1.2.0` from `v1.2.0/anything`, and a build's identity ends
 * in such a reference. `re2js` is RE2 in JavaScript; `re2` is a native add-on that needs a compiler.
 *
 * The whole identity must match, also if an alternative is not anchored (`^a|b$`).
 * @throws SignatureError MANIFEST_MALFORMED
 */
export function identityPattern(pattern: string): (identity: string) => boolean {
  if (!isAnchored(pattern)) {
    throw malformed(
      'the pattern must begin with "^" and end with "$": without them it would also accept longer identities',
    );
  }
  if (pattern.length > maxPatternLength) throw malformed(`the pattern is longer than ${maxPatternLength}`);
  assertFewStates(pattern);
  const { RE2JS } = linearPatterns();
  try {
    const compiled = RE2JS.compile(pattern);
    return (identity) => compiled.matches(identity);
  } catch (cause) {
    throw malformed(`the pattern cannot be read: ${(cause as Error).message.slice(0, 120)}`, { cause });
  }
}
