import { describe, expect, it } from "vitest";
import type { KubernetesObject } from "../../../../src/kubernetes/object.ts";
import { changesBetween, type InForce } from "../../../../src/policy/changes/resource-changes.ts";
import { skillRevocationList } from "../../../fixtures/resources.ts";
import { compileObjects } from "../../../fixtures/compile.ts";
import { policyObject } from "../builders.ts";

type Part = Readonly<Record<string, unknown>>;

const versioned = (object: KubernetesObject, generation: number, uid = "u-1"): KubernetesObject => ({
  ...object,
  metadata: {
    ...(object.metadata as object),
    ...{ generation, uid },
    managedFields: [
      { manager: "helm", operation: "Update", time: "2026-11-30T10:00:00Z" },
      { manager: "kubectl-edit", operation: "Update", time: "2026-11-30T12:00:00Z" },
      {
        manager: "skill-admission",
        operation: "Update",
        time: "2026-11-30T13:00:00Z",
        subresource: "status",
      },
    ],
  },
});

const policy = (spec: Part, generation = 1, uid?: string): KubernetesObject =>
  versioned(policyObject(spec, "payments"), generation, uid);

const inForce = (
  policies: readonly KubernetesObject[],
  lists: readonly KubernetesObject[] = [],
  trust = "t",
): InForce => ({
  objects: { ClusterSkillPolicy: policies, SkillTrustRoot: [], SkillRevocationList: lists },
  policies: compileObjects(policies, []).policies,
  trust,
});

const namespaces = new Map([
  ["a", { tenant: "x" }],
  ["b", { tenant: "y" }],
]);

const between = (before: InForce, after: InForce) => changesBetween(before, after, namespaces);
const writer = { manager: "kubectl-edit", time: "2026-11-30T12:00:00Z" };
const x = { namespaceSelector: { matchLabels: { tenant: "x" } } };
const y = { namespaceSelector: { matchLabels: { tenant: "y" } } };

describe("changesBetween", () => {
  it("tells of a policy that comes, which namespaces come under it, and who wrote it last", () => {
    expect(between(inForce([]), inForce([policy(x)]))?.resources).toEqual([
      {
        ...{ kind: "ClusterSkillPolicy", name: "payments", uid: "u-1", change: "created", after: 1 },
        ...{ what: [], namespaces: { entered: ["a"], left: [] }, writer },
      },
    ]);
  });

  it("tells of a policy that goes, and which namespaces leave it, but not who deleted it", () => {
    expect(between(inForce([policy(x, 7)]), inForce([]))?.resources).toEqual([
      {
        ...{ kind: "ClusterSkillPolicy", name: "payments", uid: "u-1", change: "deleted", before: 7 },
        ...{ what: [], namespaces: { entered: [], left: ["a"] } },
      },
    ]);
  });

  it("tells of a policy that is weaker than before, with both versions", () => {
    const change = between(inForce([policy(x, 7)]), inForce([policy({ ...x, mode: "Audit" }, 8)]));
    expect(change?.resources).toMatchObject([
      { change: "weakened", before: 7, after: 8, what: ["mode: Enforce → Audit"] },
    ]);
    const enforced = inForce([policy({ ...x, mode: "Enforce" }, 7)]);
    expect(between(enforced, inForce([policy({ ...x, mode: "Warn" }, 8)]))?.resources).toMatchObject([
      { change: "weakened", what: ["mode: Enforce → Warn"] },
    ]);
  });

  it("tells of a selector that lets namespaces go", () => {
    expect(between(inForce([policy(x)]), inForce([policy(y, 2)]))?.resources).toMatchObject([
      { change: "changed", namespaces: { entered: ["b"], left: ["a"] } },
    ]);
  });

  it("tells of one that was deleted and made anew as of both", () => {
    const made = between(inForce([policy(x, 7)]), inForce([policy(x, 1, "u-2")]));
    expect(made?.resources).toMatchObject([
      { change: "deleted", uid: "u-1", before: 7 },
      { change: "created", uid: "u-2", after: 1 },
    ]);
  });

  it("tells of a revocation that is taken back", () => {
    const entry = { digest: `sha256:${"0".repeat(64)}`, reason: "leaks" };
    const [full, empty] = [{ skills: [entry] }, { skills: [] }].map((spec, index) =>
      versioned(skillRevocationList("withdrawn", spec), index + 1),
    );
    expect(between(inForce([], [full!]), inForce([], [empty!]))?.resources).toMatchObject([
      { kind: "SkillRevocationList", name: "withdrawn", change: "weakened", before: 1, after: 2 },
    ]);
    expect(between(inForce([], [empty!]), inForce([], [full!]))?.resources).toMatchObject([
      { change: "changed", what: [`skills: added "${entry.digest}"`] },
    ]);
  });

  it("tells of trust that changes by itself, and nothing where nothing does", () => {
    const one = inForce([policy(x)]);
    expect(between(one, { ...one, trust: "u" })).toEqual({
      resources: [],
      trust: { before: "t", after: "u" },
    });
    expect(between(one, inForce([policy(x)]))).toBeUndefined();
  });
});
