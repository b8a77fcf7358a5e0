import { describe, expect, it } from "vitest";
import { everything, selectionOf } from "../../../src/kubernetes/selection.ts";
import { judgeText, resourceOf, withoutLists } from "../../../src/policy/always.ts";
import { governedBy } from "../../../src/policy/coverage.ts";
import { compileObjects } from "../../fixtures/compile.ts";
import { skillRevocationList } from "../../fixtures/resources.ts";
import { policyObject } from "./builders.ts";

const selector = { matchLabels: { tenant: "a" } };
const lists = [
  skillRevocationList("everywhere", { enforcement: "Always" }),
  skillRevocationList("there", { enforcement: "Always", namespaceSelector: selector }),
  skillRevocationList("ordinary", {}),
  skillRevocationList("broken", { enforcement: "Always", namespaceSelector: selector, files: [{}] }),
];

describe("lists that are enforced always", () => {
  it("are registered for as policies that enforce are, those that cannot be read too", () => {
    const governed = (revocationLists: typeof lists) =>
      governedBy(compileObjects([policyObject({ mode: "Audit" })], [], { revocationLists }).policies);
    const [everywhere, there] = [everything, selectionOf(selector)];
    expect(governed(lists)).toEqual({ enforced: [everywhere, there, there], observed: [everywhere] });
    expect(governed([])).toEqual({ enforced: [], observed: [everywhere] });
  });

  it("are no ClusterSkillPolicy", () => {
    const { policies } = compileObjects([policyObject()], [], { revocationLists: lists });
    expect(policies).toHaveLength(4);
    expect(withoutLists(policies).map(({ always }) => always)).toEqual([undefined]);
  });

  it("are named by their kind", () => {
    expect(judgeText("SkillRevocationList/a")).toBe('SkillRevocationList "a"');
    expect(judgeText("a")).toBe('policy "a"');
    expect(resourceOf("SkillRevocationList/a")).toEqual({ kind: "SkillRevocationList", name: "a" });
    expect(resourceOf("a")).toEqual({ kind: "ClusterSkillPolicy", name: "a" });
  });
});
