import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compileObjects } from "../../../fixtures/compile.ts";
import { withoutLists } from "../../../../src/policy/always.ts";
import { judge } from "../../../../src/policy/judge.ts";
import type { KubernetesObject } from "../../../../src/kubernetes/object.ts";
import { evidenceOf, now, reference, unsigned } from "../builders.ts";
import { publishers, resourceCases } from "../resource-cases.ts";
import { runs } from "../../../fixtures/property-runs.ts";

const specs = resourceCases.flatMap(({ spec }) => (typeof spec === "object" && spec !== null ? [spec] : []));

/** Resources that are nearly right: known specs, joined, with one member made arbitrary. */
const nearlyRight = fc
  .tuple(
    fc.constantFrom(...specs),
    fc.constantFrom(...specs),
    fc.jsonValue(),
    fc.integer({ min: 0, max: 14 }),
  )
  .map(([left, right, junk, at]) => {
    const spec: Record<string, unknown> = { ...left, ...right };
    const key = Object.keys(spec)[at];
    if (key !== undefined && at > 5) spec[key] = junk;
    return spec;
  });

const resource = fc.oneof(
  nearlyRight.map((spec): KubernetesObject => ({ metadata: { name: "p" }, spec })),
  fc.jsonValue().map((spec): KubernetesObject => ({ metadata: { name: "p" }, spec })),
  fc.dictionary(fc.string(), fc.jsonValue()) as fc.Arbitrary<KubernetesObject>,
);

const labels = fc.dictionary(fc.constantFrom("tenant", "tier", "constructor"), fc.constantFrom("a", "b", ""));

const lists = resourceCases.filter(({ kind }) => kind === "SkillRevocationList");

describe("compileSnapshot of anything", () => {
  it("never takes a list that breaks its schema for no list: every policy denies, and names it", () => {
    fc.assert(
      fc.property(fc.constantFrom(...lists), fc.boolean(), ({ spec, refused }, named) => {
        const list = { metadata: { name: "l" }, spec };
        const revocation = named ? { revocation: { listRefs: [{ name: "l" }] } } : {};
        const policy = { metadata: { name: "p" }, spec: { publishers, ...revocation } };
        const { policies } = compileObjects([policy], [], { revocationLists: [list] });
        const [compiled] = withoutLists(policies);
        if (refused === undefined) expect(compiled?.invalidReason).toBeUndefined();
        else expect(compiled?.invalidReason).toMatch(/the SkillRevocationList l cannot be read.*spec/);
      }),
    );
  });

  it("never throws, and never leaves a policy out", () => {
    fc.assert(
      fc.property(
        fc.array(resource, { maxLength: 4 }),
        fc.array(resource, { maxLength: 3 }),
        fc.array(resource, { maxLength: 2 }),
        (policies, roots, revocationLists) => {
          const compiled = compileObjects(policies, roots, { revocationLists });
          const compiledPolicies = withoutLists(compiled.policies);
          expect(compiledPolicies).toHaveLength(policies.length);
          for (const policy of compiledPolicies) {
            const { findings } = judge(policy, reference(), evidenceOf(unsigned), now);
            expect(findings).not.toEqual([]);
          }
        },
      ),
      runs(300),
    );
  });

  it("never applies to less than is written: all, unless a readable selector leaves a namespace out", () => {
    const selector = fc.record({
      matchLabels: fc.dictionary(fc.constantFrom("tenant", "tier"), fc.constantFrom("a", "b")),
    });
    const anySelector = fc.oneof(selector, fc.jsonValue());
    fc.assert(
      fc.property(anySelector, nearlyRight, labels, (namespaceSelector, rest, namespace) => {
        const spec = { ...rest, namespaceSelector };
        const [policy] = compileObjects([{ metadata: { name: "p" }, spec }], []).policies;
        const wanted: unknown = (namespaceSelector as { matchLabels?: unknown } | null)?.matchLabels;
        const excluded =
          typeof wanted === "object" &&
          wanted !== null &&
          Object.entries(wanted).some(
            ([key, value]) => !Object.hasOwn(namespace, key) || namespace[key] !== value,
          );
        if (!excluded) expect(policy?.appliesTo("n", namespace)).toBe(true);
      }),
      runs(500),
    );
  });

  it("never softens the mode: Enforce, unless Warn or Audit is what stands there", () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.constantFrom("Enforce", "Warn", "Audit"), fc.jsonValue()),
        nearlyRight,
        (mode, rest) => {
          const spec = { publishers, ...rest, mode };
          const [policy] = compileObjects([{ metadata: { name: "p" }, spec }], []).policies;
          expect(policy?.mode).toBe(mode === "Warn" || mode === "Audit" ? mode : "Enforce");
        },
      ),
    );
  });
});
