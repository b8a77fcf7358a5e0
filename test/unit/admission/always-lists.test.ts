import { describe, expect, it } from "vitest";
import { denialEvent } from "../../../src/admission/response/denial-event.ts";
import { SourceError } from "../../../src/skill/source-error.ts";
import { signedSkill, withFiles } from "../../fixtures/signed-skill.ts";
import { skillRevocationList } from "../../fixtures/resources.ts";
import type { KubernetesObject } from "../../../src/kubernetes/object.ts";
import type { ReviewAnswer } from "../../../src/admission/handle.ts";
import { changed, configMapOf, denial, namespace, podFor, policyObject, published, World } from "./world.ts";

type Spec = Readonly<Record<string, unknown>>;

const script = published.skill.files.get("scripts/run.sh")!;
const entry = {
  digest: `sha256:${script.sha256}`,
  reason: "steals credentials (SEC-1)",
  revokedAt: "2026-09-30T00:00:00Z",
};
const list = (spec: Spec = {}, name = "org-revoked"): KubernetesObject =>
  skillRevocationList(name, { enforcement: "Always", files: [entry], ...spec });

/** A cluster with these lists and policies; none of them governs the namespace unless it is given. */
function under(lists: readonly KubernetesObject[], ...policies: readonly KubernetesObject[]): World {
  const world = new World();
  world.revocationLists = lists;
  return world.withPolicies(...policies);
}

const elsewhere = policyObject({ namespaceSelector: { matchLabels: { tenant: "other" } } }, "elsewhere");
const deployment = (template: KubernetesObject): KubernetesObject => ({
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name: "etl", namespace },
  spec: { template },
});
const responseOf = ({ body }: ReviewAnswer) =>
  (
    JSON.parse(body) as {
      readonly response: {
        readonly warnings?: readonly string[];
        readonly auditAnnotations: Readonly<Record<string, string>>;
      };
    }
  ).response;

/** A skill without the revoked file. */
const other = withFiles(published.skill, { "scripts/run.sh": "echo fine\n" });

describe("a SkillRevocationList with enforcement: Always", () => {
  it.each([
    ["no policy at all", []],
    ["policies elsewhere only", [elsewhere]],
  ])(
    "refuses a pod with what it revokes where there is %s, and says which list, since when, why and what to do",
    async (_, policies) => {
      const world = under([list()], ...policies);
      const answer = await world.review(world.carry(changedBut()));
      expect(denial(answer)?.split("\n")).toEqual([
        'SkillRevocationList "org-revoked" denied Pod payments/etl: 1 of 1 skill failed: data-designer REVOKED scripts/run.sh',
        expect.stringMatching(/^- data-designer \(ConfigMap skills-etl at \/skills\/data-designer\)/),
        expect.stringMatching(
          /^ {2}REVOKED scripts\/run\.sh: the file [0-9a-f]{8}… is revoked by SkillRevocationList org-revoked since 2026-09-30T00:00:00Z: steals credentials \(SEC-1\)$/,
        ),
        "  fix: use a release that is not revoked; if the entry is a mistake, ask whoever keeps that list",
        expect.stringMatching(/^decision /),
      ]);
      expect(responseOf(answer).auditAnnotations).toMatchObject({
        policies: '"SkillRevocationList/org-revoked"=Enforce:deny',
        findings: "REVOKED",
      });
      expect(answer.decision).toMatchObject({ verdicts: [{ policy: "SkillRevocationList/org-revoked" }] });
      const event = denialEvent(answer.decision!, { metadata: { namespace, ownerReferences: [owner] } });
      expect(event).toMatchObject({ related: { kind: "SkillRevocationList", name: "org-revoked" } });
    },
  );

  it.each([
    ["nobody signed", withFiles(other, { "skill.oms.sig": "{}" })],
    ["a stranger signed", signedSkill({ files: { "SKILL.md": "---\nname: a\n---\n" } }).skill],
    ["was changed since", other],
  ])("demands nothing of a skill that %s", async (_, skill) => {
    const world = under([list()]);
    const answer = await world.review(world.carry(skill));
    expect(answer.decision).toMatchObject({ outcome: "allow", verdicts: [{ outcome: "allow" }] });
    expect(responseOf(answer).warnings).toBeUndefined();
  });

  it("refuses the same with policies that only warn or audit, which go on to do so", async () => {
    for (const mode of ["Warn", "Audit"] as const) {
      const world = under([list()], policyObject({ mode }));
      expect(denial(await world.review(world.carry(published.skill))), mode).toMatch(
        /^SkillRevocationList "org-revoked" denied Pod payments\/etl/,
      );
      const answer = await world.review(world.carry(changed));
      expect(denial(answer), mode).toBeUndefined();
      expect(answer.decision).toMatchObject({
        verdicts: [{ outcome: "allow" }, { mode, outcome: mode === "Warn" ? "warn" : "allow" }],
      });
    }
  });

  it("is named before a policy that enforces, and both say it", async () => {
    const world = under([list()], policyObject());
    const text = denial(await world.review(world.carry(published.skill)))!;
    expect(text.indexOf('SkillRevocationList "org-revoked" denied')).toBe(0);
    expect(text).toContain('policy "payments" denied Pod payments/etl: 1 of 1 skill failed');
  });

  it("keeps to the namespaces of its selector", async () => {
    const selecting = (value: string) => list({ namespaceSelector: { matchLabels: { tenant: value } } });
    const [there, here] = [under([selecting("other")]), under([selecting("payments")])];
    expect((await there.review(there.carry(published.skill))).decision).toMatchObject({
      bypass: "ungoverned",
    });
    expect(denial(await here.review(here.carry(published.skill)))).toContain("REVOKED");
  });

  it.each([["Policy"], [undefined]])(
    "leaves all to the policies with enforcement: %s",
    async (enforcement) => {
      const lists = [list({ enforcement, namespaceSelector: undefined })].map(
        (one) => JSON.parse(JSON.stringify(one)) as KubernetesObject,
      );
      const none = under(lists);
      expect((await none.review(none.carry(published.skill))).decision).toMatchObject({
        bypass: "ungoverned",
      });
      const warns = under(lists, policyObject({ mode: "Warn" }));
      const answer = await warns.review(warns.carry(published.skill));
      expect(denial(answer)).toBeUndefined();
      expect(responseOf(answer).warnings?.[0]).toContain("REVOKED");
    },
  );

  it("warns about what makes pods, and refuses a change that brings it in under a pod", async () => {
    const world = under([list()]);
    const warned = await world.review(deployment(world.carry(published.skill)));
    expect(denial(warned)).toBeUndefined();
    expect(responseOf(warned).warnings?.[0]).toBe(
      'SkillRevocationList "org-revoked" will deny the pods of Deployment payments/etl',
    );
    world.running = [podFor(configMapOf(other).items)];
    const change = { operation: "UPDATE", oldObject: configMapOf(other).object };
    expect(denial(await world.review(configMapOf(published.skill).object, change))).toMatch(
      /^SkillRevocationList "org-revoked" denied ConfigMap payments\/skills-etl[^]*REVOKED/,
    );
    const back = { operation: "UPDATE", oldObject: configMapOf(published.skill).object };
    expect(denial(await world.review(configMapOf(other).object, back))).toBeUndefined();
  });

  it("refuses a pod whose ConfigMaps cannot be read, for it may be revoked, and says so", async () => {
    const world = under([list()], policyObject({ mode: "Audit" }));
    const pod = world.carry(other);
    world.readInstead = () =>
      Promise.reject(new SourceError("SOURCE_UNAVAILABLE", "ConfigMap skills-etl could not be read"));
    const answer = await world.review(pod);
    expect(answer.decision).toMatchObject({ outcome: "error", code: "SOURCE_UNAVAILABLE" });
    expect(denial(answer)).toContain(
      'ConfigMap skills-etl could not be read, and SkillRevocationList "org-revoked" refuses what may be revoked',
    );
  });

  it("lets in what does not exist yet, and what no review can read", async () => {
    const world = under([list()]);
    const pod = world.carry(published.skill);
    world.configMaps.clear();
    for (const dryRun of [false, true]) {
      const answer = await world.review(pod, { dryRun });
      expect(denial(answer)).toBeUndefined();
      expect(responseOf(answer).warnings).toBeUndefined();
    }
    const spec = pod["spec"] as Spec;
    const volumes = [{ name: "skill", image: { reference: "skills:1" } }];
    expect(denial(await world.review({ ...pod, spec: { ...spec, volumes } }))).toBeUndefined();
  });

  it("has no say in deletions", async () => {
    const old = { ...configMapOf(published.skill).object, immutable: true };
    const about = { operation: "DELETE", name: "skills-etl", oldObject: old, kind: { kind: "ConfigMap" } };
    const resource = { group: "", version: "v1", resource: "configmaps" };
    const alone = under([list()]);
    alone.running = [podFor(configMapOf(published.skill).items)];
    expect((await alone.review(null, { ...about, resource })).decision).toMatchObject({
      bypass: "ungoverned",
    });
  });

  it("refuses a binding, where bindings are reviewed", async () => {
    const world = under([list()], policyObject({ mode: "Audit", recheck: "Binding" }));
    const pod = world.carry(published.skill);
    world.stored.set("etl", { ...pod, metadata: { ...(pod.metadata as Spec), uid: "u" } });
    const binding = { apiVersion: "v1", kind: "Binding", metadata: { name: "etl", namespace, uid: "u" } };
    const request = { resource: { group: "", version: "v1", resource: "pods" }, subResource: "binding" };
    expect(denial(await world.review(binding, request))).toMatch(/^SkillRevocationList "org-revoked" denied/);
  });
});

describe("a list that cannot be read", () => {
  const broken = (enforcement: unknown) => list({ enforcement, files: [{ digest: "sha256:ab" }] });

  it.each(["Always", "always", 1])(
    "refuses every skill if it may be enforced always (%s)",
    async (enforcement) => {
      const world = under([broken(enforcement)]);
      expect(denial(await world.review(world.carry(other)))).toMatch(
        /^SkillRevocationList "org-revoked" denied[^]*INTERNAL the list cannot be read: spec\./,
      );
    },
  );

  it.each(["Policy", undefined])(
    "leaves what no policy governs alone otherwise (%s)",
    async (enforcement) => {
      const world = under([broken(enforcement)]);
      expect((await world.review(world.carry(other))).decision).toMatchObject({ bypass: "ungoverned" });
    },
  );
});

const owner = { apiVersion: "apps/v1", kind: "ReplicaSet", name: "etl-1", uid: "u", controller: true };

/** The revoked file in a skill that no publisher signed. */
function changedBut() {
  return withFiles(published.skill, { "README.md": "added\n" });
}
