import { describe, expect, it } from "vitest";
import { namespace, published, World } from "./world.ts";

/** A ConfigMap of more values than a review reads. */
const wide = (name: string) => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name, namespace },
  data: Object.fromEntries(Array.from({ length: 60_000 }, (_, at) => [`k${at}`, ""])),
});

const before = { ...wide("skills-etl"), binaryData: { b: "" } };
const change = { operation: "UPDATE", oldObject: before } as const;

describe("a ConfigMap of too many values to be read", () => {
  it("is denied where a running pod reads a skill from it, and says what to do", async () => {
    const world = new World();
    world.running = [world.carry(published.skill)];
    const { decision, body } = await world.review(wide("skills-etl"), change);
    expect(decision).toMatchObject({ outcome: "error", code: "LIMIT_EXCEEDED" });
    expect(body).toContain(
      "ConfigMap payments/skills-etl is made of more than 50000 values, and of a changed object both versions count; split it",
    );
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
