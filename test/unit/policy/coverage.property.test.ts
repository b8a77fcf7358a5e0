import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { selectorMatches, type LabelSelector } from "../../../src/kubernetes/label-selector.ts";
import { selectionOf, selectorOf, type Selection } from "../../../src/kubernetes/selection.ts";
import { coverageOf } from "../../../src/policy/coverage.ts";

const keys = ["team", "env", "region", "kubernetes.io/metadata.name"];
const values = ["a", "b", "c"];
const requirement = fc.oneof(
  fc.record({
    key: fc.constantFrom(...keys),
    operator: fc.constantFrom("In" as const, "NotIn" as const),
    values: fc.uniqueArray(fc.constantFrom(...values), { minLength: 1 }),
  }),
  fc.record({
    key: fc.constantFrom(...keys),
    operator: fc.constantFrom("Exists" as const, "DoesNotExist" as const),
  }),
);
const selector = fc.record({
  matchLabels: fc.dictionary(fc.constantFrom(...keys), fc.constantFrom(...values), { maxKeys: 2 }),
  matchExpressions: fc.array(requirement, { maxLength: 3 }),
});
const selectors = fc.array(selector, { maxLength: 12 });

/** All label sets over these keys and values, and a value that no selector names. */
const everyLabels = keys.reduce<readonly Record<string, string>[]>(
  (found, key) =>
    found.flatMap((one) => [one, ...[...values, "other"].map((value) => ({ ...one, [key]: value }))]),
  [{}],
);

const selections = (all: readonly LabelSelector[]): readonly Selection[] =>
  all.flatMap((one) => selectionOf(one) ?? []);

const matching = (entries: readonly Selection[], labels: Record<string, string>): number =>
  entries.map(selectorOf).filter((one) => selectorMatches(one, labels)).length;

describe("coverageOf", () => {
  it("covers all that is governed, each namespace by one entry", () => {
    fc.assert(
      fc.property(selectors, selectors, selector, (enforced, observed, bound) => {
        const within = selectionOf(bound);
        fc.pre(within !== undefined);
        const coverage = coverageOf(
          { enforced: selections(enforced), observed: selections(observed) },
          within,
        );
        expect(coverage.enforced.length).toBeLessThanOrEqual(16);
        expect(coverage.observed.length).toBeLessThanOrEqual(16);
        for (const labels of everyLabels) {
          const inside = selectorMatches(bound, labels);
          const [strict, lenient] = [
            matching(coverage.enforced, labels),
            matching(coverage.observed, labels),
          ];
          expect(strict + lenient).toBeLessThanOrEqual(inside ? 1 : 0);
          if (inside && enforced.some((one) => selectorMatches(one, labels))) expect(strict).toBe(1);
          if (inside && observed.some((one) => selectorMatches(one, labels)))
            expect(strict + lenient).toBe(1);
        }
      }),
    );
  });

  it("covers nothing else where selectors name one label each, as most do", () => {
    const named = fc.record({
      key: fc.constantFrom("team", "env"),
      operator: fc.constant("In" as const),
      values: fc.uniqueArray(fc.constantFrom(...values), { minLength: 1 }),
    });
    const plain = fc.array(
      named.map((one): LabelSelector => ({ matchExpressions: [one] })),
      { maxLength: 5 },
    );
    fc.assert(
      fc.property(plain, plain, (enforced, observed) => {
        const coverage = coverageOf({ enforced: selections(enforced), observed: selections(observed) });
        for (const labels of everyLabels) {
          const strict = enforced.some((one) => selectorMatches(one, labels));
          const lenient = !strict && observed.some((one) => selectorMatches(one, labels));
          expect(matching(coverage.enforced, labels)).toBe(strict ? 1 : 0);
          expect(matching(coverage.observed, labels)).toBe(lenient ? 1 : 0);
        }
      }),
    );
  });
});
