import { describe, expect, it } from "vitest";
import { handle } from "../../../src/admission/handle.ts";
import type { KubernetesObject } from "../../../src/kubernetes/object.ts";
import type { Skill } from "../../../src/skill/skill.ts";
import { changed, configMapOf, denial, namespace, now, published, World } from "./world.ts";

/** A ConfigMap of more values than a review reads. */
const wide = (name: string) => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name, namespace },
  data: Object.fromEntries(Array.from({ length: 60_000 }, (_, at) => [`k${at}`, ""])),
});

const resource = { group: "", version: "v1", resource: "configmaps" };
const before = { ...wide("skills-etl"), binaryData: { b: "" } };
const change = { operation: "UPDATE", oldObject: before } as const;

/** The ConfigMap of a skill among tens of thousands of other keys, with the entry that the API server keeps of each. */
function wideWith(skill: Skill) {
  const { object } = configMapOf(skill);
  const { data, metadata } = wide("skills-etl");
  const fields = Object.fromEntries(Object.keys(data).map((key) => [`f:${key}`, {}]));
  const managedFields = [{ manager: "kubectl", fieldsV1: { "f:data": fields } }];
  return { ...object, data, metadata: { ...metadata, uid: "u", resourceVersion: "1", managedFields } };
}

describe("a ConfigMap of too many values to be read at once", () => {
  it("is judged where a running pod reads a skill from it, by the keys that are mounted", async () => {
    const world = new World();
    world.running = [world.carry(published.skill)];
    const [good, bad] = [wideWith(published.skill), wideWith(changed)];
    const update = async (object: KubernetesObject, oldObject: KubernetesObject) =>
      (await world.review(object, { operation: "UPDATE", oldObject })).decision;
    expect(await update(bad, good)).toMatchObject({
      outcome: "deny",
      verdicts: [{ skills: [{ findings: [{ code: "DIGEST_MISMATCH" }] }] }],
    });
    expect(await update(good, bad)).toMatchObject({
      outcome: "allow",
      verdicts: [{ skills: { length: 1 } }],
    });
    expect(await update({ ...good, data: { ...good.data, k7: "other" } }, good)).toMatchObject({
      bypass: "unchanged",
    });
    expect((await world.review(bad)).decision).toMatchObject({ outcome: "deny" });
  });

  it("is denied where a pod mounts all of it, and says what to do", async () => {
    const world = new World();
    const pod = world.carry(published.skill);
    const volumes = [{ name: "skill", configMap: { name: "skills-etl" } }];
    const containers = [{ name: "agent", volumeMounts: [{ name: "skill", mountPath: "/skills/x" }] }];
    world.running = [{ ...pod, spec: { volumes, containers } }];
    const { decision, body } = await world.review(wide("skills-etl"), change);
    expect(decision).toMatchObject({ outcome: "error", code: "LIMIT_EXCEEDED" });
    expect(body).toContain("brings in more than 10000 keys; mount only those that are needed");
  });

  it("is denied where its keys are ambiguous, and repaired where those before were", async () => {
    const world = new World();
    world.running = [world.carry(published.skill)];
    const twice = (object: object): Buffer => {
      const review = {
        uid: "u",
        kind: { kind: "ConfigMap" },
        resource: { resource: "configmaps" },
        namespace,
      };
      const request = { ...review, name: "skills-etl", operation: "UPDATE", userInfo: {}, ...object };
      const body = { apiVersion: "admission.k8s.io/v1", kind: "AdmissionReview", request };
      return Buffer.from(JSON.stringify(body).replaceAll('"twice":', '"k5":'));
    };
    const good = wideWith(published.skill);
    const bad = { ...good, data: { ...good.data, twice: "x" } };
    const ask = async (body: Buffer) =>
      (await handle(body, world.deps, new AbortController().signal, now)).decision;
    expect(await ask(twice({ object: bad, oldObject: good }))).toMatchObject({
      outcome: "error",
      code: "SOURCE_MALFORMED",
      message: "ConfigMap payments/skills-etl is ambiguous: an object has the same key twice",
    });
    expect(await ask(twice({ object: good, oldObject: bad }))).toMatchObject({
      outcome: "allow",
      verdicts: [{ skills: { length: 1 } }],
    });
  });

  it("goes through where only its labels change", async () => {
    const world = new World();
    world.running = [world.carry(published.skill)];
    const labelled = { ...before, metadata: { ...before.metadata, labels: { a: "b" } } };
    expect((await world.review(labelled, change)).decision).toMatchObject({ bypass: "unchanged" });
  });

  it.each([
    ["no pod mounts it", "leader-lock", {}, "unused"],
    ["no policy governs its namespace", "skills-etl", { namespace: "other" }, "ungoverned"],
    ["it is deleted", "skills-etl", { operation: "DELETE" }, "operation"],
  ])("goes through unread where %s", async (_, name, request, bypass) => {
    const world = new World();
    world.running = [world.carry(published.skill)];
    const { decision } = await world.review(wide(name), { ...change, ...request });
    expect(decision).toMatchObject({ outcome: "allow", bypass });
    expect(world.reads).toEqual([]);
  });

  it.each([
    ["is deleted", null, {}],
    ["loses its last finalizer", { deletionTimestamp: "2026-10-01T00:00:00Z" }, { operation: "UPDATE" }],
  ])(
    "is denied where an immutable one %s while a pod has it, and goes through where none has",
    async (_, end, more) => {
      const { metadata } = wide("skills-etl");
      const oldObject = { ...wide("skills-etl"), immutable: true };
      const object = end === null ? null : { ...oldObject, metadata: { ...metadata, ...end } };
      const request = { operation: "DELETE", oldObject, name: "", resource, ...more };
      const world = new World();
      expect((await world.review(object, request)).decision).toMatchObject({ bypass: "unused" });
      world.running = [world.carry(published.skill)];
      expect(denial(await world.review(object, request))).toContain("STILL_IN_USE");
      const held = { ...metadata, deletionTimestamp: "2026-10-01T00:00:00Z", finalizers: ["a/b"] };
      const kept = await world.review(
        { ...oldObject, metadata: held },
        { ...request, operation: "UPDATE", name: "skills-etl" },
      );
      expect(kept.decision).toMatchObject({ bypass: "unchanged" });
      const other = { ...request, oldObject: { ...oldObject, metadata: { ...metadata, name: "other" } } };
      expect((await world.review(object, other)).decision).toMatchObject({ bypass: "unused" });
    },
  );

  it("goes through unread where pods mount it, but none reads a skill from it", async () => {
    const world = new World();
    const pod = world.carry(published.skill);
    const items = [{ key: "k1", path: "app.conf" }];
    const volumes = [{ name: "skill", configMap: { name: "skills-etl", items } }];
    const containers = [
      { name: "agent", image: "agent", volumeMounts: [{ name: "skill", mountPath: "/etc/app" }] },
    ];
    world.running = [{ ...pod, spec: { volumes, containers } }];
    expect((await world.review(wide("skills-etl"), change)).decision).toMatchObject({ bypass: "no-skills" });
  });
});

describe("a pod of too many values to be read", () => {
  const pod = (world: World) => ({
    ...world.carry(published.skill),
    status: { containers: Object.values(wide("x").data) },
  });

  it("is denied where a policy governs", async () => {
    const world = new World();
    expect((await world.review(pod(world))).decision).toMatchObject({ code: "LIMIT_EXCEEDED" });
  });

  it("goes through where none does", async () => {
    const world = new World();
    expect((await world.review(pod(world), { namespace: "other" })).decision).toMatchObject({
      bypass: "ungoverned",
    });
  });
});

describe("bodies of many reviews at once", () => {
  /** Turns of the event loop in which reviews go on once their bodies are parsed. */
  async function turnsOf(kibibytes: number): Promise<number> {
    const world = new World();
    const seen = new Set<number>();
    let turn = 0;
    const passing = (): void => {
      turn += 1;
      immediate = setImmediate(passing);
    };
    let immediate = setImmediate(passing);
    const cluster = {
      ...world.view,
      namespaceLabels: (...asked: Parameters<typeof world.view.namespaceLabels>) => {
        seen.add(turn);
        return world.view.namespaceLabels(...asked);
      },
    };
    const text = { note: "x".repeat(kibibytes * 1024) };
    const pod = { apiVersion: "v1", kind: "Pod", metadata: { name: "p", annotations: text }, spec: {} };
    const review = { uid: "u", kind: { kind: "Pod" }, resource: { resource: "pods" }, namespace };
    const request = { ...review, name: "p", operation: "CREATE", userInfo: {}, object: pod };
    const body = Buffer.from(
      JSON.stringify({ apiVersion: "admission.k8s.io/v1", kind: "AdmissionReview", request }),
    );
    const deps = { ...world.deps, cluster };
    const answers = Array.from({ length: 8 }, () => handle(body, deps, new AbortController().signal, now));
    for (const { status } of await Promise.all(answers)) expect(status).toBe(200);
    clearImmediate(immediate);
    return seen.size;
  }

  it("are parsed one in a turn of the event loop where they are large", async () => {
    expect(await turnsOf(65)).toBe(8);
  });

  it("are parsed as they come where they are small", async () => {
    expect(await turnsOf(1)).toBe(1);
  });
});
