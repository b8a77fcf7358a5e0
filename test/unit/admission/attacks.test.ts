import { describe, expect, it } from "vitest";
import { PodStore } from "../../../src/cluster/pod-store.ts";
import type { SkillSource, VolumeObjectRef } from "../../../src/skill/source.ts";
import type { KubernetesObject } from "../../../src/workload/kubernetes-object.ts";
import { signedSkill, withFiles } from "../../fixtures/signed-skill.ts";
import { changed, configMapOf, denial, namespace, podFor, policyObject, published, World } from "./world.ts";

/** A pod that mounts one ConfigMap at many skill folders. */
function crowded(items: readonly object[], skills: number): KubernetesObject {
  const mounts = Array.from({ length: skills }, (_, index) => ({
    name: "skill",
    mountPath: `/skills/s${index}`,
  }));
  const containers = Array.from({ length: Math.ceil(skills / 450) }, (_, index) => ({
    name: `c${index}`,
    image: "agent",
    volumeMounts: mounts.slice(index * 450, (index + 1) * 450),
  }));
  const volumes = [{ name: "skill", configMap: { name: "skills-etl", items } }];
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "etl", namespace },
    spec: { volumes, containers },
  };
}

describe("an attack on the time of others", () => {
  it("is denied before anything is verified, when one ConfigMap is mounted as a thousand skills", async () => {
    const world = new World();
    const { object, items } = configMapOf(published.skill);
    world.configMaps.set("skills-etl", object);
    const handled = await world.review(crowded(items, 1000));
    expect(denial(handled)).toContain("LIMIT_EXCEEDED the containers see 1000 skills");
    expect(world.verifications).toBe(0);
  });

  it("lets other reviews go on between the skills of one pod", async () => {
    const world = new World();
    const { object, items } = configMapOf(published.skill);
    world.configMaps.set("skills-etl", object);
    const busy = world.review(crowded(items, 100));
    // What the first review reads is there at once, so that by the next turn of the loop it has begun to verify.
    await new Promise((resolve) => setImmediate(resolve));
    expect(world.verifications).toBeLessThan(5);
    expect(denial(await world.review(podFor([], "small")))).toBeDefined();
    expect(world.verifications).toBeLessThan(20);
    expect(denial(await busy)).toBeUndefined();
    expect(world.verifications).toBeGreaterThanOrEqual(100);
  });

  it("ends when its time has passed, rather than with the last skill", async () => {
    const world = new World();
    const { object, items } = configMapOf(published.skill);
    world.configMaps.set("skills-etl", object);
    const spent = new AbortController();
    const deps = { ...world.deps, workSignal: () => spent.signal };
    Object.defineProperty(world, "deps", { get: () => deps });
    const busy = world.review(crowded(items, 100));
    await new Promise((resolve) => setImmediate(resolve));
    spent.abort();
    expect(denial(await busy)).toContain("TIMEOUT");
    expect(world.verifications).toBeLessThan(10);
  });
});

describe("an attack by what a signature or a name leaves open", () => {
  it("is denied when an unsigned skill stands at a path that the signature of another leaves out", async () => {
    const world = new World();
    const evil = "---\nname: evil\ndescription: Does evil.\n---\n";
    const review = (path: string) => world.review(world.carry(withFiles(published.skill, { [path]: evil })));
    for (const path of [".github/skills/evil/SKILL.md", ".git/skill.md"]) {
      expect(denial(await review(path))?.replaceAll(/ +/g, " ")).toContain(`FILE_UNSIGNED ${path}`);
    }
    expect(denial(await review(".github/dependabot.md"))).toBeUndefined();
  });

  it.each([
    ["a name with an anchor", "---\nname: &a evil\ndescription: Does evil.\n---\n"],
    ["two names", "---\nname: data-designer\nname: evil\ndescription: Does evil.\n---\n"],
    ["frontmatter that never ends", "---\nname: evil\ndescription: Does evil.\n"],
    ["a blank before the frontmatter", "\n---\nname: evil\ndescription: Does evil.\n---\n"],
    ["no name", "---\ndescription: Does evil.\n---\n"],
  ])("is denied when a policy admits skills by name and SKILL.md has %s", async (_, text) => {
    const named = policyObject({ skills: [{ names: ["data-designer"] }] });
    const { skill } = signedSkill({ key: published.key, files: { "SKILL.md": text } });
    const world = new World();
    expect(denial(await world.review(world.carry(skill)))).toBeUndefined();
    world.withPolicies(named);
    expect(denial(await world.review(world.carry(skill)))).toContain("SKILL_NOT_ALLOWED");
    expect(denial(await world.review(world.carry(published.skill)))).toBeUndefined();
  });
});

describe("an attack between a pod's admission and its appearance in the watch", () => {
  /** A world whose store is the live cluster's. */
  function watched() {
    const world = new World();
    const pods = new PodStore();
    const { deps } = world;
    const cluster = {
      ...deps.cluster,
      podsUsing: (ref: VolumeObjectRef) => pods.using(ref),
      expectPod: (object: KubernetesObject, place: string) => pods.expect(object, place),
    };
    const during: (() => Promise<unknown>)[] = [];
    const source: SkillSource = {
      read: async (ref, signal) => {
        const object = await deps.source.read(ref, signal);
        await during.shift()?.();
        return object;
      },
    };
    Object.defineProperty(world, "deps", { get: () => ({ ...deps, cluster, source }) });
    return { world, pods, during };
  }
  const withUid = (object: KubernetesObject): KubernetesObject => ({
    ...object,
    metadata: { ...(object.metadata as object), uid: "8d1c" },
  });
  const evil = (world: World) => {
    const before = world.configMaps.get("skills-etl")!;
    const { object } = configMapOf(withFiles(published.skill, { "scripts/run.sh": "rm -rf /" }));
    return world.review(object, { operation: "UPDATE", oldObject: before });
  };

  it("is denied: the ConfigMap counts as used from when the pod's review begins", async () => {
    const { world, pods, during } = watched();
    const pod = withUid(world.carry(published.skill));
    let meanwhile: string | undefined;
    during.push(async () => (meanwhile = denial(await evil(world))));
    expect(denial(await world.review(pod))).toBeUndefined();
    expect(meanwhile).toContain("DIGEST_MISMATCH");
    expect(denial(await evil(world))).toContain("DIGEST_MISMATCH");
    pods.set(`${namespace}/etl`, pod, namespace);
    pods.delete(`${namespace}/etl`);
    expect(denial(await evil(world))).toBeUndefined();
  });

  it("does not keep a ConfigMap from change for a pod that was denied, failed, or was a dry run", async () => {
    const { world } = watched();
    const denied = withUid(world.carry(changed));
    expect(denial(await world.review(denied))).toBeDefined();
    expect(denial(await evil(world))).toBeUndefined();
    const pod = withUid(world.carry(published.skill));
    expect(denial(await world.review(pod, { dryRun: true }))).toBeUndefined();
    expect(denial(await evil(world))).toBeUndefined();
    world.readInstead = () => Promise.reject(new Error("broken"));
    expect(denial(await world.review(pod))).toContain("INTERNAL");
    world.readInstead = undefined;
    expect(denial(await evil(world))).toBeUndefined();
  });
});
