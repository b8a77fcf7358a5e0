import { describe, expect, it } from "vitest";
import { PodStore } from "../../../src/cluster/pod-store.ts";
import type { SkillSource, VolumeObjectRef } from "../../../src/skill/source.ts";
import { SourceError, type SourceErrorCode } from "../../../src/skill/source-error.ts";
import type { KubernetesObject } from "../../../src/kubernetes/object.ts";
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
    // The first review's reads resolve at once: by the next turn of the loop it is verifying.
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
  /** A world with the pod store of a live cluster. */
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

  it.each([
    ["of kagent's, by its image alone", "registry.example/kagent-dev/kagent/app:1", "DIGEST_MISMATCH"],
    ["of any other project's", "registry.example/shop/app:1", undefined],
  ])("is denied by what the watch has shown of a container %s", async (_, image, code) => {
    const { world, pods } = watched();
    const pod = world.carry(published.skill);
    const { volumes } = pod["spec"] as { readonly volumes: readonly object[] };
    const volumeMounts = [{ name: "skill", mountPath: "/plugins/data-designer" }];
    // Only where it lies tells that it is a skill.
    const items = configMapOf(published.skill).items.filter(({ path }) => path !== "SKILL.md");
    const partial = [{ ...volumes[0], configMap: { name: "skills-etl", items } }];
    const spec = { volumes: partial, containers: [{ name: "agent", image, volumeMounts }] };
    pods.set(`${namespace}/etl`, { ...pod, spec }, namespace);
    const message = denial(await evil(world));
    if (code === undefined) expect(message).toBeUndefined();
    else expect(message).toContain(code);
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

describe("an attack by a part of the skill that is missing before and after the change", () => {
  const good = configMapOf(published.skill);
  const evil = configMapOf(changed).object;
  const beside = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "beside", namespace }, data: {} };

  /** A running pod with a signed skill and an empty ConfigMap mounted inside its folder. */
  function running(more: Readonly<Record<string, unknown>> = {}): World {
    const world = new World();
    world.configMaps.set("skills-etl", good.object);
    world.configMaps.set("beside", beside);
    world.running = [
      {
        apiVersion: "v1",
        kind: "Pod",
        metadata: { name: "etl", namespace },
        spec: {
          volumes: [
            {
              name: "skill",
              projected: { sources: [{ configMap: { name: "skills-etl", items: good.items } }] },
            },
            { name: "beside", configMap: { name: "beside", ...more } },
          ],
          containers: [
            {
              name: "agent",
              image: "agent",
              volumeMounts: [
                { name: "skill", mountPath: "/skills/data-designer" },
                { name: "beside", mountPath: "/skills/data-designer/extra" },
              ],
            },
          ],
        },
      },
    ];
    return world;
  }
  const update = (world: World, object: KubernetesObject, oldObject: KubernetesObject = good.object) =>
    world.review(object, { operation: "UPDATE", oldObject });

  it("is denied when the part was deleted, which nobody reviews", async () => {
    const world = running();
    expect(denial(await world.review(world.running[0]!))).toBeUndefined();
    world.configMaps.delete("beside");
    const text = denial(await update(world, evil));
    expect(text).toContain("SOURCE_UNAVAILABLE ConfigMap payments/beside does not exist");
    expect(text).toContain("DIGEST_MISMATCH");
    expect(text!.indexOf("SOURCE_UNAVAILABLE")).toBeLessThan(text!.indexOf("DIGEST_MISMATCH"));
  });

  it.each<SourceErrorCode>(["TIMEOUT", "SOURCE_UNAVAILABLE", "SOURCE_MALFORMED", "LIMIT_EXCEEDED"])(
    "is denied when the part fails to be read with %s",
    async (code) => {
      const world = running();
      world.readInstead = () => Promise.reject(new SourceError(code, "ConfigMap beside: no"));
      const text = denial(await update(world, evil))?.replaceAll(/ +/g, " ");
      expect(text).toContain(`${code} ConfigMap beside: no`);
      expect(text).toContain("DIGEST_MISMATCH");
    },
  );

  it("is denied though what is left is signed: the pod still has what was there before", async () => {
    const world = running();
    world.configMaps.delete("beside");
    const next = configMapOf(
      signedSkill({ key: published.key, files: { "scripts/run.sh": "#!/bin/sh\n" } }).skill,
    );
    world.running = JSON.parse(
      JSON.stringify(world.running).replace(JSON.stringify(good.items), JSON.stringify(next.items)),
    ) as typeof world.running;
    const text = denial(await update(world, next.object, configMapOf(published.skill).object));
    expect(text).toContain("SOURCE_UNAVAILABLE");
    expect(text).not.toContain("DIGEST_MISMATCH");
    world.configMaps.set("beside", beside);
    const whole = denial(await update(world, next.object, good.object));
    expect(whole).toContain(
      "CHANGED_IN_PLACE the skill comes from ConfigMap skills-etl and ConfigMap beside",
    );
    expect(whole).toContain("fix: give the new version ConfigMaps of new names");
  });

  it("does not keep anybody from labels, from keys that no pod mounts, or from bringing the part back", async () => {
    const world = running();
    world.configMaps.delete("beside");
    const labels = { lock: "held" };
    const labelled = { ...good.object, metadata: { name: "skills-etl", namespace, labels } };
    expect((await update(world, labelled)).decision).toMatchObject({ bypass: "unchanged" });
    const more = { ...good.object, data: { other: "1" } };
    expect((await update(world, more)).decision).toMatchObject({ bypass: "unchanged" });
    expect(denial(await world.review(beside))).toBeUndefined();
    expect(denial(await world.review(good.object))).toContain("SOURCE_UNAVAILABLE");
    world.configMaps.set("beside", beside);
    expect(denial(await world.review(good.object))).toBeUndefined();
  });

  it("is denied when the skill breaks a rule before and after it", async () => {
    const world = running();
    const items = [...good.items, { key: "a", path: "notes" }, { key: "b", path: "NOTES" }];
    world.running = JSON.parse(
      JSON.stringify(world.running).replace(JSON.stringify(good.items), JSON.stringify(items)),
    ) as typeof world.running;
    const withNotes = (a: string, object = good.object) => ({ ...object, data: { a, b: "b" } });
    expect(denial(await update(world, withNotes("2"), withNotes("1")))).toContain("SOURCE_MALFORMED");
    expect(denial(await update(world, withNotes("1", evil), withNotes("1")))).toContain("SOURCE_MALFORMED");
    const labelled = { ...withNotes("1"), metadata: { name: "skills-etl", namespace, labels: { a: "b" } } };
    expect(denial(await update(world, labelled, withNotes("1")))).toBeUndefined();
  });

  it("is denied when an optional part, now missing, lay over the file that changes", async () => {
    const { object, items } = configMapOf(published.skill, "beside");
    const sources = [
      { configMap: { name: "skills-etl", items: good.items } },
      { configMap: { name: "beside", items, optional: true } },
    ];
    const world = running().withPolicies(policyObject({ unverifiable: { default: "Warn" } }));
    world.configMaps.set("beside", object);
    const pod = podFor(good.items);
    const volumes = [{ name: "skill", projected: { sources } }];
    world.running = [{ ...pod, spec: { ...(pod["spec"] as object), volumes } }];
    expect(denial(await world.review(world.running[0]!))).toBeUndefined();
    world.configMaps.delete("beside");
    expect(denial(await update(world, evil))).toContain("DIGEST_MISMATCH");
  });
});

describe("an attack by what a mount inside another one covers", () => {
  it("is denied where it is a skill of its own, and names where that can be read", async () => {
    const world = new World();
    const evil = { SKILL: "---\nname: data-designer\ndescription: Does evil.\n---\n" };
    const pod = world.carry(published.skill);
    const { volumes, containers } = pod["spec"] as {
      volumes: object[];
      containers: { volumeMounts: object[] }[];
    };
    expect(denial(await world.review(pod))).toBeUndefined();
    const metadata = { name: "evil", namespace };
    world.configMaps.set("evil", { apiVersion: "v1", kind: "ConfigMap", metadata, data: evil });
    const items = [{ key: "SKILL", path: "data-designer/SKILL.md" }];
    volumes.push({ name: "evil", configMap: { name: "evil", items } });
    containers[0]!.volumeMounts.push({ name: "evil", mountPath: "/skills" });
    const text = denial(await world.review(pod));
    expect(text).toContain("1 of 2 skills failed");
    expect(text).toContain("data-designer (ConfigMap evil at /skills/..data/data-designer): not signed");
  });

  it("lets through a signed skill of two volumes, and one that lies over its own files", async () => {
    const world = new World();
    const { object, items } = configMapOf(published.skill);
    world.configMaps.set("skills-etl", object);
    const inScripts = items.filter(({ path }) => String(path).startsWith("scripts/"));
    const volume = (name: string, some: typeof items) => ({
      name,
      configMap: { name: "skills-etl", items: some },
    });
    const scripts = inScripts.map((item) => ({
      ...item,
      path: String(item["path"]).slice("scripts/".length),
    }));
    const review = (base: typeof items) =>
      world.review({
        apiVersion: "v1",
        kind: "Pod",
        metadata: { name: "etl", namespace },
        spec: {
          volumes: [volume("base", base), volume("scripts", scripts)],
          containers: [
            {
              name: "agent",
              image: "agent",
              volumeMounts: [
                { name: "base", mountPath: "/skills/data-designer" },
                { name: "scripts", mountPath: "/skills/data-designer/scripts" },
              ],
            },
          ],
        },
      });
    expect(inScripts).not.toEqual([]);
    expect(denial(await review(items.filter((item) => !inScripts.includes(item))))).toBeUndefined();
    expect(denial(await review(items))).toBeUndefined();
    const other = items.find((item) => !inScripts.includes(item))!;
    const wrong = items.map((item) => (inScripts.includes(item) ? { ...item, key: other["key"] } : item));
    const text = denial(await review(wrong));
    expect(text).toContain("at /skills/data-designer/..data)");
    expect(text).toContain("DIGEST_MISMATCH");
    expect(text).toContain("1 of 2 skills failed");
  });
});
