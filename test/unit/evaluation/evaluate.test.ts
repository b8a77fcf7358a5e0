import { describe, expect, it } from "vitest";
import { effectivePolicies, evaluate, skillsOf } from "../../../src/evaluation/evaluate.ts";
import { podOf } from "../../../src/workload/carriers/pod-of.ts";
import { changed, configMapOf, namespace, now, podFor, published, World } from "../admission/world.ts";

/** A pod that mounts one skill twice, and another that does not exist. */
async function evaluated(world: World, twice: boolean) {
  const { items } = configMapOf(published.skill);
  const pod = podFor(items) as { spec: { volumes: object[]; containers: { volumeMounts: object[] }[] } };
  if (twice) {
    pod.spec.containers[0]!.volumeMounts.push({ name: "skill", mountPath: "/opt/skills/data-designer" });
    pod.spec.volumes.push({ name: "gone", configMap: { name: "gone" } });
    pod.spec.containers[0]!.volumeMounts.push({ name: "gone", mountPath: "/skills/gone" });
  }
  const subject = podOf(pod, namespace)!;
  const context = { deps: world.deps, now, signal: AbortSignal.timeout(30_000) };
  const policies = await effectivePolicies(namespace, context);
  const references = await skillsOf(subject, policies.policies, context);
  return evaluate(references, policies, subject, context);
}

describe("evaluate", () => {
  it("gives each skill with the evidence that its verdicts rest on, verified once for all places", async () => {
    const world = new World();
    world.carry(published.skill);
    const { skills, verdicts } = await evaluated(world, true);
    expect(world.verifications).toBe(1);
    expect(skills.map(({ reference, evidence }) => [reference.path, evidence?.signature.outcome])).toEqual(
      expect.arrayContaining([
        ["/skills/data-designer", "signed"],
        ["/opt/skills/data-designer", "signed"],
        ["/skills/gone", undefined],
      ]),
    );
    expect(verdicts.map(({ outcome }) => outcome)).toEqual(["deny"]);
    expect(verdicts[0]!.skills.map(({ reference }) => reference)).toEqual(
      skills.map(({ reference }) => reference),
    );
  });

  it("says what changed, and allows what did not", async () => {
    const tampered = new World();
    tampered.carry(changed);
    expect((await evaluated(tampered, false)).verdicts[0]!.outcome).toBe("deny");
    const untouched = new World();
    untouched.carry(published.skill);
    expect((await evaluated(untouched, false)).verdicts[0]!.outcome).toBe("allow");
  });
});
