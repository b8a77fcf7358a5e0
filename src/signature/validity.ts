/** Time in which a statement about a signature holds; milliseconds since 1970, both inclusive. */
export interface Validity {
  readonly notBefore: number;
  readonly notAfter: number;
}

/** Validity of a statement that does not depend on time: the range of `Date`. */
export const always: Validity = { notBefore: -8.64e15, notAfter: 8.64e15 };

/** Whether a span covers the moment `now`, milliseconds since 1970. */
export const covers = (span: Validity, now: number): boolean => span.notBefore <= now && now <= span.notAfter;

/** The time in which both hold. Empty: `notBefore` after `notAfter`. */
export const intersection = (one: Validity, other: Validity): Validity => ({
  notBefore: Math.max(one.notBefore, other.notBefore),
  notAfter: Math.min(one.notAfter, other.notAfter),
});

/** The longest span around `now` in which no other spans of these hold than at `now`. */
export function unchangedSpan(spans: readonly Validity[], now: number): Validity {
  let { notBefore, notAfter } = always;
  for (const span of spans) {
    if (span.notBefore > span.notAfter) continue;
    for (const turn of [span.notBefore, span.notAfter + 1]) {
      if (turn <= now) notBefore = Math.max(notBefore, turn);
      else notAfter = Math.min(notAfter, turn - 1);
    }
  }
  return { notBefore, notAfter };
}
