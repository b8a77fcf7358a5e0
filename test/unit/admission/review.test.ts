import { describe, expect, it } from "vitest";
import { SourceError } from "../../../src/skill/source-error.ts";
import { volumeObjectKinds } from "../../../src/skill/source.ts";
import type { KubernetesObject } from "../../../src/kubernetes/object.ts";
import { tokenMount, tokenVolume } from "../../fixtures/pods.ts";
import { signedSkill, withFiles } from "../../fixtures/signed-skill.ts";
import { changed, configMapOf, denial, namespace, podFor, policyObject, published, World } from "./world.ts";

const template = (pod: KubernetesObject): object => ({ template: { spec: pod["spec"] } });

describe("review of a pod", () => {
  it("admits a signed skill, with the evidence in the decision", async () => {
    const world = new World();
    const handled = await world.review(world.carry(published.skill));
    expect(denial(handled)).toBeUndefined();
    expect(handled.decision).toMatchObject({
      outcome: "allow",
      verdicts: [{ policy: "payments", outcome: "allow" }],
    });
  });

  it.each([
    ["a changed file", changed, "DIGEST_MISMATCH scripts/run.sh: signed "],
    ["an added file", withFiles(published.skill, { "extra.py": "x" }), "FILE_UNSIGNED extra.py"],
    [
      "a removed file",
      withFiles(published.skill, { "references/a.md": undefined }),
      "FILE_MISSING references/a.md",
    ],
    [
      "a removed card",
      withFiles(published.skill, { "skill-card.md": undefined }),
      "FILE_MISSING skill-card.md",
    ],
    ["no signature", withFiles(published.skill, { "skill.oms.sig": undefined }), "UNSIGNED"],
    ["a stranger's signature", signedSkill().skill, "UNTRUSTED_SIGNER"],
    [
      "another skill's signature",
      withFiles(published.skill, {
        "skill.oms.sig": signedSkill({ name: "other", key: published.key }).signature,
      }),
      "DIGEST_MISMATCH SKILL.md",
    ],
    ["a signature that is none", withFiles(published.skill, { "skill.oms.sig": "{}" }), "MANIFEST_MALFORMED"],
  ])("denies %s, naming it", async (_, skill, text) => {
    const world = new World();
    const handled = await world.review(world.carry(skill));
    expect(denial(handled)).toMatch(
      /^policy "payments" denied Pod payments\/etl: 1 of 1 skill failed: data-designer [A-Z_]+[^\n]*\n/,
    );
    expect(denial(handled)?.replaceAll(/ +/g, " ")).toContain(text);
  });

  it("reads each object once, and binds the answer to what it read (CVE-2022-47633)", async () => {
    const world = new World();
    await world.review(world.carry(published.skill));
    expect(world.reads).toEqual(["skills-etl"]);
  });

  it("verifies a skill once, and judges it anew for every policy that comes after", async () => {
    const world = new World();
    const pod = world.carry(published.skill);
    await world.review(pod);
    await world.review(pod);
    expect(world.cache).toEqual(["miss", "hit"]);
    world.withPolicies(policyObject({ skills: [{ names: ["something-else"] }] }));
    expect(denial(await world.review(pod))).toContain("SKILL_NOT_ALLOWED");
    expect(world.verifications).toBe(1);
  });

  it("does not take one skill's evidence for another's, whatever its name", async () => {
    const world = new World();
    await world.review(world.carry(published.skill));
    expect(denial(await world.review(world.carry(changed)))).toContain("DIGEST_MISMATCH");
  });

  it("looks again when trust changes: a key that is taken away counts no more", async () => {
    const world = new World();
    const pod = world.carry(published.skill);
    await world.review(pod);
    const stranger = signedSkill().trust.keys[0]!.key.export({ type: "spki", format: "pem" });
    world.withPolicies(policyObject({ publishers: [{ name: "team", publicKey: { pem: stranger } }] }));
    expect(denial(await world.review(pod))).toContain("UNTRUSTED_SIGNER");
  });

  it("says which rule let through what was not judged", async () => {
    const world = new World();
    const pod = world.carry(published.skill);
    const plain = podFor([]);
    const bypass = async (...args: Parameters<World["review"]>): Promise<unknown> => {
      const { decision } = await world.review(...args);
      return decision !== undefined && "bypass" in decision ? decision.bypass : undefined;
    };
    expect(await bypass({ ...plain, spec: { containers: [{ name: "web" }] } })).toBe("no-skills");
    expect(await bypass(pod, { namespace: "other" })).toBe("ungoverned");
    expect(await bypass(pod, { operation: "DELETE", object: null, oldObject: pod })).toBe("operation");
    expect(await bypass({ ...pod, kind: "Service" })).toBe("not-a-carrier");
    expect(await bypass(pod, { operation: "UPDATE", oldObject: pod })).toBe("unchanged");
    expect(await bypass(pod)).toBeUndefined();
    world.withPolicies();
    expect(await bypass(pod)).toBe("ungoverned");
  });

  it("denies when the namespace cannot be looked up (CVE-2025-46342)", async () => {
    const world = new World();
    const handled = await world.review(world.carry(published.skill), { namespace: "gone" });
    expect(denial(handled)).toContain("SOURCE_UNAVAILABLE there is no Namespace gone");
    expect(handled.decision?.outcome).toBe("error");
  });

  it("denies when the bytes cannot be read, naming the object", async () => {
    const world = new World();
    const pod = world.carry(published.skill);
    world.readInstead = () => Promise.reject(new SourceError("SOURCE_UNAVAILABLE", "ConfigMap x: forbidden"));
    expect(denial(await world.review(pod))).toContain("SOURCE_UNAVAILABLE ConfigMap x: forbidden");
    world.configMaps.clear();
    world.readInstead = undefined;
    expect(denial(await world.review(pod))).toContain("SOURCE_UNAVAILABLE");
  });

  it("makes a denial with INTERNAL out of what nobody expected, and tells the caller no details", async () => {
    const world = new World();
    const pod = world.carry(published.skill);
    world.readInstead = () => Promise.reject(new TypeError("x is not a function"));
    const handled = await world.review(pod);
    expect(denial(handled)).toContain("INTERNAL");
    expect(denial(handled)).not.toContain("not a function");
    expect(handled.decision).toMatchObject({
      outcome: "error",
      code: "INTERNAL",
      cause: expect.any(TypeError) as unknown,
    });
  });

  it("denies with TIMEOUT at the deadline, and goes on, so that the next try passes", async () => {
    const world = new World();
    const pod = world.carry(published.skill);
    let finish: (() => void) | undefined;
    const slow = new Promise<void>((resolve) => (finish = resolve));
    const { source } = world.deps;
    const deps = {
      ...world.deps,
      source: {
        read: async (...args: Parameters<typeof source.read>) => slow.then(() => source.read(...args)),
      },
    };
    Object.defineProperty(world, "deps", { value: deps });
    const late = new AbortController();
    const pending = world.review(pod, {}, late.signal);
    late.abort();
    const handled = await pending;
    expect(handled.decision).toMatchObject({ outcome: "error", code: "TIMEOUT" });
    expect(denial(handled)).toContain("TIMEOUT");
    finish?.();
    await expect.poll(() => world.verifications).toBe(1);
    expect(denial(await world.review(pod))).toBeUndefined();
    expect(world.verifications).toBe(1);
  });

  it("answers at once when the deadline had passed before it began", async () => {
    const world = new World();
    const handled = await world.review(world.carry(published.skill), {}, AbortSignal.abort());
    expect(denial(handled)).toContain("TIMEOUT");
  });

  it("demands that every policy passes, and names the ones that do not", async () => {
    const world = new World();
    const strict = policyObject({ skills: [{ names: ["none-*"] }] }, "strict");
    const pod = world.withPolicies(policyObject(), strict).carry(published.skill);
    const text = denial(await world.review(pod));
    expect(text).toContain('policy "strict" denied');
    expect(text).not.toContain('policy "payments" denied');
  });

  it("only warns in mode Warn, and says nothing in mode Audit", async () => {
    const world = new World();
    const pod = world.carry(changed);
    const warned = await world.withPolicies(policyObject({ mode: "Warn" })).review(pod);
    expect(JSON.parse(warned.body)).toMatchObject({
      response: { allowed: true, warnings: [expect.stringContaining("DIGEST_MISMATCH")] },
    });
    const audited = await world.withPolicies(policyObject({ mode: "Audit" })).review(pod);
    expect(JSON.parse(audited.body)).toMatchObject({
      response: { allowed: true, auditAnnotations: { findings: "DIGEST_MISMATCH" } },
    });
    expect(audited.body).not.toContain("warnings");
  });

  it("denies with a policy that cannot be used, rather than going without it", async () => {
    const world = new World().withPolicies(policyObject({ publishers: [] }));
    expect(denial(await world.review(world.carry(published.skill)))).toContain("INTERNAL");
  });

  it("honours no annotation that would weaken the check", async () => {
    const world = new World();
    const pod = world.carry(changed);
    const annotations = { "skill-admission.dev/mode": "Audit", "skill-admission.dev/skip": "true" };
    const annotated = { ...pod, metadata: { name: "etl", namespace, annotations } };
    expect(denial(await world.review(annotated))).toContain("DIGEST_MISMATCH");
  });
});

describe("review of a debugging container", () => {
  const debugged = (pod: KubernetesObject, volumeMounts: readonly object[]): KubernetesObject => ({
    ...pod,
    spec: {
      ...(pod["spec"] as object),
      ephemeralContainers: [{ name: "debug", image: "debug", volumeMounts }],
    },
  });
  const add = (
    world: World,
    pod: KubernetesObject,
    ...mounts: readonly object[]
  ): ReturnType<World["review"]> =>
    world.review(debugged(pod, mounts), {
      operation: "UPDATE",
      subResource: "ephemeralcontainers",
      oldObject: pod,
    });

  it("is let into a pod whose skill is broken, or whose ConfigMap is gone, when it sees none of it", async () => {
    const world = new World();
    const pod = world.carry(changed);
    expect(denial(await add(world, pod))).toBeUndefined();
    world.configMaps.clear();
    expect(denial(await add(world, pod))).toBeUndefined();
  });

  it("is denied when it mounts another key of a ConfigMap, in which a skill is", async () => {
    const world = new World();
    const evil = "---\nname: evil\ndescription: Does evil.\n---\n";
    world.configMaps.set("skills-etl", { data: { "app.yaml": "a: b", "SKILL.md": evil } });
    const mounted = (subPath: string) => ({ name: "skill", mountPath: `/etc/${subPath}`, subPath });
    const { spec, ...rest } = podFor([]);
    const [container] = (spec as { readonly containers: readonly object[] }).containers;
    const containers = [{ ...container, volumeMounts: [mounted("app.yaml")] }];
    const pod = { ...rest, spec: { ...(spec as object), containers } };
    expect(denial(await add(world, pod, mounted("app.yaml")))).toBeUndefined();
    expect(denial(await add(world, pod, mounted("SKILL.md")))).toContain("UNSIGNED");
  });

  it("is denied when it sees the broken skill, wherever it mounts it", async () => {
    const world = new World();
    const pod = world.carry(changed);
    for (const mountPath of ["/skills/data-designer", "/elsewhere"])
      expect(denial(await add(world, pod, { name: "skill", mountPath }))).toContain("DIGEST_MISMATCH");
    const good = world.carry(published.skill);
    expect(
      denial(await add(world, good, { name: "skill", mountPath: "/skills/data-designer" })),
    ).toBeUndefined();
  });
});

describe("review of what makes pods", () => {
  const deployment = (pod: KubernetesObject, replicas = 1): Record<string, unknown> => ({
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "etl", namespace },
    spec: { replicas, ...template(pod) },
  });

  it("warns early, and denies where the policy says so", async () => {
    const world = new World();
    const object = deployment(world.carry(changed));
    const warned = await world.review(object);
    expect(JSON.parse(warned.body)).toMatchObject({
      response: {
        allowed: true,
        warnings: [
          'policy "payments" will deny the pods of Deployment payments/etl',
          expect.stringContaining("DIGEST_MISMATCH"),
        ],
      },
    });
    world.withPolicies(policyObject({ controllers: "Enforce" }));
    expect(denial(await world.review(object))).toContain("denied Deployment payments/etl");
  });

  it("is never in the way of scaling and deleting, with every skill broken (CVE-2023-34091 both ways)", async () => {
    const world = new World().withPolicies(policyObject({ controllers: "Enforce" }));
    const pod = world.carry(changed);
    const before = deployment(pod, 3);
    const update = (object: Record<string, unknown>): ReturnType<World["review"]> =>
      world.review(object, { operation: "UPDATE", oldObject: before });
    const deleted = { name: "etl", namespace, deletionTimestamp: "2026-10-01T00:00:00Z", finalizers: [] };
    expect(denial(await update(deployment(pod, 0)))).toBeUndefined();
    expect(denial(await update({ ...before, metadata: deleted }))).toBeUndefined();
    expect(denial(await update({ ...before, status: { replicas: 3 } }))).toBeUndefined();
    const worse = JSON.parse(
      JSON.stringify(pod).replace("/skills/data-designer", "/skills/else"),
    ) as typeof pod;
    expect(denial(await update({ ...deployment(worse), metadata: deleted }))).toContain("DIGEST_MISMATCH");
  });
});

describe("review of a ConfigMap", () => {
  const good = configMapOf(published.skill);
  const bad = configMapOf(changed);

  const running = (count: number): World => {
    const world = new World();
    world.carry(published.skill);
    world.running = Array.from({ length: count }, (_, index) => podFor(good.items, `etl-${index}`));
    return world;
  };

  it("denies an update that would break a running pod's skill, naming the pod", async () => {
    const handled = await running(1).review(bad.object, { operation: "UPDATE", oldObject: good.object });
    const text = denial(handled);
    expect(text).toMatch(
      /^policy "payments" denied ConfigMap payments\/skills-etl: 1 of 1 skill failed: data-designer [A-Z_]+[^\n]*\n/,
    );
    expect(text).toContain("mounted by Pod payments/etl-0");
    expect(text).toContain("DIGEST_MISMATCH");
  });

  it("looks only at the keys that pods mount, of an object with more than could be read", async () => {
    const filler = Object.fromEntries(Array.from({ length: 10_001 }, (_, index) => [`x${index}`, ""]));
    const crowded = ({ object }: typeof good, more = {}) => ({ ...object, data: { ...filler, ...more } });
    const update = (object: KubernetesObject) =>
      running(2).review(object, { operation: "UPDATE", oldObject: crowded(good) });
    expect(denial(await update(crowded(good, { x0: "y" })))).toBeUndefined();
    expect(denial(await update(crowded(bad)))).toContain("DIGEST_MISMATCH");
  });

  it("looks at each of several pods that mount different keys", async () => {
    const world = running(1);
    const [first] = good.items;
    world.running = [podFor([{ ...first, path: "SKILL.md" }], "part"), ...world.running];
    const handled = await world.review(bad.object, { operation: "UPDATE", oldObject: good.object });
    expect(denial(handled)).toContain("DIGEST_MISMATCH");
    world.running = world.running.toReversed();
    const again = await world.review(bad.object, { operation: "UPDATE", oldObject: good.object });
    expect(denial(again)).toContain("DIGEST_MISMATCH");
  });

  it("denies one created anew after deletion", async () => {
    const world = running(1);
    world.configMaps.clear();
    expect(denial(await world.review(bad.object))).toContain("DIGEST_MISMATCH");
    expect(denial(await world.review(good.object))).toBeUndefined();
  });

  it("allows an update that leaves the skill as it is signed", async () => {
    const labelled = { ...good.object, metadata: { name: "skills-etl", namespace, labels: { a: "b" } } };
    const handled = await running(1).review(labelled, { operation: "UPDATE", oldObject: bad.object });
    expect(denial(handled)).toBeUndefined();
  });

  it.each(volumeObjectKinds.filter((kind) => kind !== "Secret"))(
    "looks for running pods that mount a %s",
    async (kind) => {
      const handled = await running(0).review({ ...good.object, kind }, { operation: "UPDATE" });
      expect(handled.decision).toMatchObject({ bypass: "unused" });
    },
  );

  it("asks nobody about one that no running pod mounts", async () => {
    const world = running(0);
    const handled = await world.review(bad.object, { operation: "UPDATE", oldObject: good.object });
    expect(handled.decision).toMatchObject({ bypass: "unused" });
    expect(world.reads).toEqual([]);
  });

  it("looks at one of many replicas that are alike, each with its account's token", async () => {
    const world = running(0);
    world.running = Array.from({ length: 300 }, (_, index) => {
      const pod = JSON.parse(JSON.stringify(podFor(good.items, `etl-${index}`))) as {
        spec: { volumes: object[]; containers: { volumeMounts: object[] }[] };
      };
      const name = `kube-api-access-${index}`;
      pod.spec.volumes.push(tokenVolume(name));
      pod.spec.containers[0]!.volumeMounts.push(tokenMount(name));
      return pod;
    });
    const { decision } = await world.review(bad.object, { operation: "UPDATE", oldObject: good.object });
    expect(decision).toMatchObject({ outcome: "deny", verdicts: [{ skills: { length: 1 } }] });
  });

  it("lets a namespace without policies be", async () => {
    const world = running(1).withPolicies(
      policyObject({ namespaceSelector: { matchLabels: { tenant: "x" } } }),
    );
    expect((await world.review(bad.object)).decision).toMatchObject({ bypass: "ungoverned" });
  });

  it("does not judge anew what stays as it was, though part of it cannot be read", async () => {
    const world = running(0);
    const pod = JSON.parse(JSON.stringify(podFor(good.items))) as {
      spec: { volumes: object[]; containers: { volumeMounts: object[] }[] };
    };
    pod.spec.volumes.push({ name: "scratch", emptyDir: {} });
    pod.spec.containers[0]!.volumeMounts.push({ name: "scratch", mountPath: "/skills/data-designer/tmp" });
    world.running = [pod];
    const labelled = { ...good.object, metadata: { name: "skills-etl", namespace, labels: { a: "b" } } };
    const handled = await world.review(labelled, { operation: "UPDATE", oldObject: good.object });
    expect(handled.decision).toMatchObject({ bypass: "unchanged" });
    expect(
      denial(await world.review(bad.object, { operation: "UPDATE", oldObject: good.object })),
    ).toBeDefined();
  });

  it("does not hold another skill's fault against it", async () => {
    const world = running(0);
    world.configMaps.set("skills-other", configMapOf(changed, "skills-other").object);
    const pod = JSON.parse(JSON.stringify(podFor(good.items))) as {
      spec: { volumes: object[]; containers: { volumeMounts: object[] }[] };
    };
    pod.spec.volumes.push({ name: "other", configMap: { name: "skills-other", items: bad.items } });
    pod.spec.containers[0]!.volumeMounts.push({ name: "other", mountPath: "/skills/broken" });
    world.running = [pod];
    expect(
      denial(await world.review(good.object, { operation: "UPDATE", oldObject: bad.object })),
    ).toBeUndefined();
    expect(
      (await world.review(good.object, { operation: "UPDATE", oldObject: good.object })).decision,
    ).toMatchObject({ bypass: "unchanged" });
  });

  it("denies one that cannot be decoded", async () => {
    const broken = { ...good.object, binaryData: { f0: "%%%" } };
    expect(denial(await running(1).review(broken))).toContain("SOURCE_MALFORMED");
  });
});

describe("handle", () => {
  it("answers what is no review with 400, and with its uid where it has one", async () => {
    const world = new World();
    const handled = await world.review({ kind: "Pod" }, { operation: "PATCH" });
    expect(handled.status).toBe(200);
    expect(denial(handled)).toContain("bad review: request.operation");
    expect(handled.decision).toBeUndefined();
    expect((await world.review(null, { uid: 1 })).status).toBe(400);
    expect(denial(await world.review(null))).toContain("SOURCE_MALFORMED");
  });
});

describe("review of a change to an object that could not be read before", () => {
  const many = Object.fromEntries(Array.from({ length: 10_001 }, (_, index) => [`k${index}`, ""]));
  const plain = (data: object): KubernetesObject => ({
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: "skills-etl", namespace },
    data,
  });
  /** A pod that mounts the whole ConfigMap at this place. */
  const worldAt = (mountPath: string): World => {
    const world = new World();
    const spec = {
      volumes: [{ name: "v", configMap: { name: "skills-etl" } }],
      containers: [{ name: "agent", image: "agent", volumeMounts: [{ name: "v", mountPath }] }],
    };
    world.running = [{ apiVersion: "v1", kind: "Pod", metadata: { name: "etl", namespace }, spec }];
    return world;
  };
  const repaired = (world: World, data: object) =>
    world.review(plain(data), { operation: "UPDATE", oldObject: plain(many) });

  it("lets it be repaired", async () => {
    expect(denial(await repaired(worldAt("/etc/app"), { "app.yaml": "a: 1" }))).toBeUndefined();
  });

  it("judges what comes out, and refuses what still cannot be read", async () => {
    const skill = { "SKILL.md": "---\nname: data-designer\ndescription: Not signed.\n---\n" };
    expect(denial(await repaired(worldAt("/skills/data-designer"), skill))).toContain("UNSIGNED");
    expect(denial(await repaired(worldAt("/etc/app"), { ...many, k0: "1" }))).toContain("LIMIT_EXCEEDED");
    expect(denial(await repaired(worldAt("/etc/app"), many))).toBeUndefined();
  });
});

describe("a refusal", () => {
  const text = async (world: World, pod: KubernetesObject): Promise<string | undefined> =>
    denial(await world.review(pod));
  const named = (pod: KubernetesObject, name: string, generateName = "etl-5d4f-"): KubernetesObject => ({
    ...pod,
    metadata: { ...(pod.metadata as object), name, generateName },
  });

  it("has the same text for each attempt of a controller, whatever name it generates", async () => {
    const world = new World();
    const pod = world.carry(changed);
    const first = await text(world, named(pod, "etl-5d4f-abcde"));
    expect(first).toMatch(/^policy "payments" denied Pod payments\/etl-5d4f-\*: /);
    expect(await text(world, named(pod, "etl-5d4f-fghij"))).toBe(first);
    const { decision } = await world.review(named(pod, "etl-5d4f-klmno"));
    expect(decision).toMatchObject({ subject: { name: "etl-5d4f-klmno" } });
    expect(first).toContain(`\ndecision ${decision!.id}`);
  });

  it("names a pod that does not have the name that it says to generate, and one that is there", async () => {
    const world = new World();
    const pod = world.carry(changed);
    expect(await text(world, named(pod, "other"))).toMatch(/denied Pod payments\/other: /);
    // A name of its own that begins like it.
    expect(await text(world, named(pod, "etl-5d4f-main"))).toMatch(/denied Pod payments\/etl-5d4f-main: /);
    // Of a long prefix the API server takes the beginning.
    const long = `${"n".repeat(57)}-`;
    expect(await text(world, named(pod, `${long}abcde`, `${long}more-`))).toContain(
      `Pod payments/${long}*: `,
    );
    const old = { ...named(pod, "etl-5d4f-a"), spec: { containers: [] } };
    const update = await world.review(named(pod, "etl-5d4f-a"), { operation: "UPDATE", oldObject: old });
    expect(denial(update)).toMatch(/denied Pod payments\/etl-5d4f-a: /);
  });

  it("has another identifier for another cause, object or failure, and the same for the same failure", async () => {
    const world = new World();
    const idOf = async (pod: KubernetesObject) => (await world.review(pod)).decision!.id;
    const bad = await idOf(world.carry(changed));
    const pod = world.carry(withFiles(published.skill, { "extra.py": "x" }));
    const other = await idOf(pod);
    const elsewhere = await idOf({ ...pod, metadata: { ...(pod.metadata as object), name: "etl-2" } });
    const soon = { ...world.deps, source: { read: () => new Promise<never>(() => undefined) } };
    Object.defineProperty(world, "deps", { value: soon });
    const late = () => world.review(pod, {}, AbortSignal.timeout(20));
    const [one, two] = [await late(), await late()];
    expect(one.decision).toMatchObject({ code: "TIMEOUT", id: two.decision!.id });
    expect(new Set([bad, other, elsewhere, one.decision!.id]).size).toBe(4);
  });
});
