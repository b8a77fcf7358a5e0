import { malformed } from "../../signature-error.ts";
import { linearPatterns } from "../lazy-libraries.ts";

/** Longest pattern of a policy, characters. */
export const maxPatternLength = 512;

/** Repetitions multiply when they are nested: RE2's limit is for each alone. Real patterns count to two digits. */
const largestRepeat = 100;

/** Does a pattern begin with `^` and end with `$`, so that its reader sees that it is about the whole identity. */
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
 * Compiles a pattern over identities: RE2's syntax, which has neither look-around nor back-references, and matches in
 * time linear in the identity. A glob could not tell `v1.2.0` from `v1.2.0/anything` in the reference that identities of
 * builds end in. `re2` is a native add-on that needs a compiler; `re2js` is the same algorithm in JavaScript.
 *
 * The whole identity must match, also where an alternative in the pattern is not anchored (`^a|b$`).
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
