import { describe, expect, it } from "vitest";
import { atBinding } from "../../../src/evaluation/preset-node.ts";
import type { LabelSelector } from "../../../src/kubernetes/label-selector.ts";
import { selectorMatches } from "../../../src/kubernetes/label-selector.ts";
import { selectionOf, selectorOf, type Selection } from "../../../src/kubernetes/selection.ts";
import { coverageOf, governedBy, textOf } from "../../../src/policy/coverage.ts";
import { compileObjects } from "../../fixtures/compile.ts";
import { clusterSkillPolicy } from "../../fixtures/resources.ts";
import { publishers } from "./resource-cases.ts";

const policies = (...specs: readonly object[]) =>
  compileObjects(
    specs.map((spec, index) => clusterSkillPolicy(`p${index}`, { publishers, ...spec })),
    [],
  ).policies;
const tenant = (name: string) => ({ namespaceSelector: { matchLabels: { tenant: name } } });

const governed = (...specs: readonly object[]) => {
  const { enforced, observed } = governedBy(policies(...specs));
  return { enforced: enforced.map(selectorOf), observed: observed.map(selectorOf) };
};
const onlyTenant = (name: string) => ({
  matchExpressions: [{ key: "tenant", operator: "In", values: [name] }],
});

describe("governedBy", () => {
  it("tells what is enforced from what is only looked at", () => {
    expect(governed()).toEqual({ enforced: [], observed: [] });
    expect(
      governed(tenant("a"), { ...tenant("b"), mode: "Warn" }, { ...tenant("c"), mode: "Audit" }),
    ).toEqual({ enforced: [onlyTenant("a")], observed: [onlyTenant("b"), onlyTenant("c")] });
  });

  it("takes a policy that cannot be used at its word, and an unreadable word for the strictest", () => {
    expect(governed({ ...tenant("a"), publishers: [] })).toEqual({
      enforced: [onlyTenant("a")],
      observed: [],
    });
    expect(governed({ ...tenant("a"), mode: "Audit", publishers: [] })).toEqual({
      enforced: [],
      observed: [onlyTenant("a")],
    });
    expect(governed({ ...tenant("a"), mode: "Sometimes" })).toEqual({
      enforced: [onlyTenant("a")],
      observed: [],
    });
    expect(governed({ namespaceSelector: { matchLabels: 1 } }).enforced).toEqual([{ matchExpressions: [] }]);
  });

  it("leaves out a selector that contradicts itself", () => {
    const never = { matchLabels: { a: "x" }, matchExpressions: [{ key: "a", operator: "DoesNotExist" }] };
    expect(governed({ namespaceSelector: never })).toEqual({ enforced: [], observed: [] });
  });

  it.each(["a..b/x", "a.-b/x", "-a/x", "/x", "a/b/c", "x".repeat(64), `${"y".repeat(254)}/x`])(
    "knows that no namespace has a label %s, which the API server takes in no selector",
    (key) => {
      const by = (operator: string, values?: readonly string[]) => ({
        namespaceSelector: {
          matchLabels: { tenant: "a" },
          matchExpressions: [{ key, operator, ...(values && { values }) }],
        },
      });
      const found = [by("In", ["1"]), by("Exists"), by("NotIn", ["1"]), by("DoesNotExist")].map((one) => {
        const selection = selectionOf(one.namespaceSelector as LabelSelector);
        return selection && selectorOf(selection);
      });
      expect(found).toEqual([undefined, undefined, onlyTenant("a"), onlyTenant("a")]);
      expect(selectionOf({ matchLabels: { [key]: "1" } })).toBeUndefined();
    },
  );

  it.each(["x", "x".repeat(63), "a.b/X_y.z", `${"y".repeat(253)}/x`])("takes the key %s", (key) => {
    expect(selectorOf(selectionOf({ matchLabels: { [key]: "1" } })!)).toEqual({
      matchExpressions: [{ key, operator: "In", values: ["1"] }],
    });
  });

  it("finds the policies that review bindings, and of those that cannot be used whoever may", () => {
    const found = (...specs: readonly object[]) => atBinding(policies(...specs)).map(({ mode }) => mode);
    expect(found({}, { recheck: "Watch" })).toEqual([]);
    expect(found({ recheck: "Binding" }, { recheck: "Binding", mode: "Audit" })).toEqual([
      "Enforce",
      "Audit",
    ]);
    expect(found({ publishers: [], recheck: "Watch" })).toEqual([]);
    expect(found({ publishers: [], recheck: "Binding" }, { recheck: "Sometimes" })).toEqual([
      "Enforce",
      "Enforce",
    ]);
  });
});

describe("coverageOf", () => {
  const select = (labels: Readonly<Record<string, string>>): Selection =>
    selectionOf({ matchLabels: labels })!;
  const selectors = (selections: readonly Selection[]) => selections.map(selectorOf);

  it("takes five hundred tenants for one entry", () => {
    const enforced = Array.from({ length: 500 }, (_, index) => select({ tenant: `t${index}` }));
    const coverage = coverageOf({ enforced, observed: [] });
    expect(coverage.enforced).toHaveLength(1);
    expect(selectorOf(coverage.enforced[0]!).matchExpressions?.[0]?.values).toHaveLength(500);
  });

  describe("where so many values are to be listed that the registration would not fit into etcd", () => {
    const tenants = (from: number) =>
      Array.from({ length: 5_000 }, (_, index) => select({ tenant: `${"t".repeat(50)}-${from + index}` }));
    const others = { matchExpressions: [{ key: "tenant", operator: "NotIn", values: ["a"] }] };

    it("asks about all, and waits nowhere that no policy enforces", () => {
      const none = coverageOf({ enforced: [], observed: tenants(0) });
      expect([none.enforced, selectors(none.observed)]).toEqual([[], [{ matchExpressions: [] }]]);
      const one = coverageOf({ enforced: [select({ tenant: "a" })], observed: tenants(0) });
      expect(selectors(one.enforced)).toEqual([onlyTenant("a")]);
      expect(selectors(one.observed)).toEqual([others]);
    });

    it("asks about all as if it were enforced, if it is those of policies in Enforce", () => {
      for (const observed of [[], [select({ tenant: "a" })]]) {
        const coverage = coverageOf({ enforced: tenants(0), observed });
        expect([selectors(coverage.enforced), coverage.observed]).toEqual([[{ matchExpressions: [] }], []]);
      }
    });

    it("keeps to what the installation leaves", () => {
      const within = select({ pilot: "yes" });
      expect(coverageOf({ enforced: tenants(0), observed: tenants(5_000) }, within)).toEqual({
        enforced: [within],
        observed: [],
      });
    });
  });

  it("tells four policies of two labels each apart, and nine of one", () => {
    const two = ["a", "b", "c", "d"].map((word) => select({ [`${word}0`]: "x", [`${word}1`]: "x" }));
    const one = Array.from({ length: 9 }, (_, index) => select({ [`label-${index}`]: "x" }));
    for (const enforced of [two, one]) {
      const found = selectors(coverageOf({ enforced, observed: [] }).enforced);
      expect(found.some((each) => selectorMatches(each, {}))).toBe(false);
    }
  });

  it("asks about more rather than too little where selectors are too many to tell apart", () => {
    const enforced = Array.from({ length: 40 }, (_, index) => select({ [`label-${index}`]: "x" }));
    const anywhere = coverageOf({ enforced, observed: [select({ tenant: "a" })] });
    expect([selectors(anywhere.enforced), anywhere.observed]).toEqual([[{ matchExpressions: [] }], []]);
    const ofTenants = enforced.map((one, index) => new Map([...one, ...select({ tenant: `t${index % 2}` })]));
    const within = coverageOf({ enforced: ofTenants, observed: [select({ tenant: "a" })] });
    expect(selectors(within.enforced)).toEqual([
      { matchExpressions: [{ key: "tenant", operator: "In", values: ["t0", "t1"] }] },
    ]);
    expect(selectors(within.observed)).toEqual([onlyTenant("a")]);
  });

  it("does not depend on the order of policies", () => {
    const some = [{ tenant: "a" }, { env: "x" }, { env: "y", tenant: "b" }, { region: "r" }].map(select);
    const texts = (selections: readonly Selection[]) =>
      coverageOf({ enforced: selections, observed: [] }).enforced.map(textOf);
    expect(texts(some.toReversed())).toEqual(texts(some));
  });
});
