import { setImmediate as turn } from "node:timers/promises";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { KubernetesObject } from "../../../src/kubernetes/object.ts";
import { noncomplianceEvent } from "../../../src/recheck/noncompliance-event.ts";
import { SourceError } from "../../../src/skill/source-error.ts";
import { skillRevocationList } from "../../fixtures/resources.ts";
import { withFiles } from "../../fixtures/signed-skill.ts";
import { changed, namespace, policyObject, published } from "../admission/world.ts";
import { replicaSet, StoredWorld } from "./stored-world.ts";

const good = published.skill;
const evil = changed;

let world = new StoredWorld();
afterEach(async () => {
  await world.stop();
});

/** A world with one ConfigMap of a good skill, and pods that mount it. */
function running(...pods: readonly string[]): StoredWorld {
  world = new StoredWorld();
  world.put(good);
  for (const pod of pods) world.create(pod, good);
  return world.start();
}

const until = (assertion: () => void): Promise<void> =>
  vi.waitFor(assertion, { timeout: 20_000, interval: 1 });
const named = (): readonly string[] =>
  world.notices.map(({ workload }) => `${workload.kind} ${workload.name}`);

describe("what is stored when it begins", () => {
  it("complies", async () => {
    await running("etl").stands({ payments: 0 });
    expect(world.passes).toMatchObject([{ complete: true }]);
    expect(world.notices).toEqual([]);
  });

  it("does not comply: it is counted and named, first what happened and last what to do", async () => {
    world = new StoredWorld();
    world.put(evil);
    world.create("etl", good);
    await world.start().stands({ payments: 1 });
    expect(world.standings).toEqual([
      { policy: "payments", mode: "Enforce", workloads: 1, first: [`Pod ${namespace}/etl`] },
    ]);
    const [notice] = world.notices;
    expect(notice).toMatchObject({
      policy: "payments",
      mode: "Enforce",
      pods: ["etl"],
      codes: ["DIGEST_MISMATCH"],
    });
    expect(notice?.replaced).toBeUndefined();
    const lines = notice!.text(1024).split("\n");
    expect(lines[0]).toBe(
      `policy "payments" (Enforce) is not met by Pod ${namespace}/etl, which is stored: 1 of 1 skill failed: data-designer DIGEST_MISMATCH scripts/run.sh`,
    );
    expect(lines.join("\n")).toContain("DIGEST_MISMATCH scripts/run.sh");
    expect(lines.at(-1)).toBe(
      "nothing was stopped, and containers may have read it before it was named: delete Pod etl, and create it anew, or what makes it, corrected, with ConfigMaps of new names",
    );
  });

  it("is judged once for all pods that see the same files", async () => {
    world = new StoredWorld();
    world.put(good);
    for (let pod = 0; pod < 100; pod += 1) world.create(`etl-${pod}`, good);
    await world.start().stands({ payments: 0 });
    expect(world.reads).toBe(1);
  });

  it("is nothing in a namespace that no policy governs", async () => {
    world = new StoredWorld();
    world.labels.set(namespace, {});
    world.put(evil);
    world.create("etl", good);
    await world.start().stands({ payments: 0 });
    expect(world.notices).toEqual([]);
    world.labels.set(namespace, { tenant: "payments" });
    world.recheck.namespaceChanged(namespace);
    await world.stands({ payments: 1 });
  });

  it("counts in every mode, and what a policy tolerates does not", async () => {
    world = new StoredWorld();
    world.put(evil);
    world.create("etl", good);
    const unsigned = withFiles(good, {});
    const files = new Map([...unsigned.files].filter(([path]) => path !== "skill.oms.sig"));
    world.put({ ...unsigned, files }, "unsigned");
    world.create("plain", { ...unsigned, files }, { from: "unsigned" });
    world.start();
    world.govern(
      policyObject({ mode: "Audit" }, "audit"),
      policyObject({ mode: "Warn", unsigned: { action: "Warn" } }, "warn"),
    );
    await world.stands({ audit: 2, warn: 1 });
    expect(world.standings?.map(({ mode }) => mode)).toEqual(["Audit", "Warn"]);
  });

  it("is the fault of a policy that cannot be used, not of workloads", async () => {
    running("etl");
    world.govern(
      policyObject({ publishers: [{ name: "p", publicKey: { trustRootRef: { name: "none" } } }] }),
    );
    await world.stands({ payments: 0 });
    expect(world.notices).toEqual([]);
  });
});

describe("a ConfigMap that changes under a pod", () => {
  it("is named, once, and no more when it is changed back", async () => {
    await running("etl", "twin").stands({ payments: 0 });
    world.put(evil)();
    await world.stands({ payments: 2 });
    expect(named()).toEqual(["Pod etl", "Pod twin"]);
    world.put(good)();
    await world.stands({ payments: 0 });
    world.put(evil)();
    await world.stands({ payments: 2 });
    expect(named()).toHaveLength(4);
  });

  it("is named though it was changed back before anybody looked", async () => {
    await running("etl").stands({ payments: 0 });
    const events = [world.put(evil), world.put(good)];
    for (const event of events) event();
    await until(() => expect(named()).toEqual(["Pod etl"]));
    expect(world.notices[0]?.replaced).toBe(`ConfigMap ${namespace}/skills-etl`);
    expect(world.notices[0]?.text(1024)).toContain(
      `by ConfigMap ${namespace}/skills-etl as it was for a moment; it has been replaced since`,
    );
    await world.stands({ payments: 0 });
  });

  it("is named though the pod went before anybody looked", async () => {
    await running("etl").stands({ payments: 0 });
    const events = [world.put(evil), world.delete("etl")];
    for (const event of events) event();
    await until(() => expect(named()).toEqual(["Pod etl"]));
    await world.stands({ payments: 0 });
  });

  it("is named though the pod comes into sight after it was changed back", async () => {
    await running("other").stands({ payments: 0 });
    const events = [
      world.put(evil, "late"),
      world.create("etl", good, { from: "late" }),
      world.put(good, "late"),
    ];
    for (const at of [0, 2, 1]) events[at]!();
    await until(() => expect(named()).toEqual(["Pod etl"]));
  });

  it("is named though it was changed back before the pod, which came in between, was judged", async () => {
    await running("other").stands({ payments: 0 });
    world.put(evil, "late")();
    const events = [world.create("etl", good, { from: "late" }), world.put(good, "late")];
    for (const event of events) event();
    await until(() => expect(named()).toEqual(["Pod etl"]));
  });

  it("concerns no pod that had gone before it was stored", async () => {
    await running("before", "stays").stands({ payments: 0 });
    const events = [world.delete("before"), world.put(evil), world.put(good)];
    for (const event of events) event();
    await until(() => expect(world.notices.flatMap(({ pods }) => pods)).toEqual(["stays"]));
  });

  it("concerns no pod that was stored after it had been changed back", async () => {
    await running("other").stands({ payments: 0 });
    world.put(evil, "late")();
    world.put(good, "late")();
    world.create("etl", good, { from: "late" })();
    // Another one, which certainly is judged after it.
    world.put(evil)();
    await world.stands({ payments: 1 });
    expect(named()).toEqual(["Pod other"]);
  });

  it("concerns of the pods that see the same files those that were stored before it had been changed back", async () => {
    await running("before").stands({ payments: 0 });
    const events = [world.put(evil), world.put(good), world.create("after", good)];
    for (const event of events) event();
    await until(() => expect(named()).toEqual(["Pod before"]));
    await world.stands({ payments: 0 });
    expect(named()).toEqual(["Pod before"]);
  });

  it("names nothing when it is deleted: containers keep what was judged", async () => {
    await running("etl").stands({ payments: 0 });
    world.put(undefined)();
    await until(() => expect(world.reads).toBeGreaterThan(1));
    await world.stands({ payments: 0 });
    expect(world.notices).toEqual([]);
    world.put(evil)();
    await world.stands({ payments: 1 });
  });

  it("says once that versions come faster than they can be judged, and judges what is stored in the end", async () => {
    await running("etl").stands({ payments: 0 });
    for (let round = 0; round < 1_100; round += 1) world.put(good)();
    world.put(evil)();
    await world.stands({ payments: 1 });
    expect(world.problems).toEqual([
      `pods or ConfigMaps of Namespace ${namespace} change faster than they can be judged: some versions are not; look who changes them`,
    ]);
  });

  it("says which version could not be read", async () => {
    await running("etl").stands({ payments: 0 });
    world.failingVersions = new SourceError("SOURCE_UNAVAILABLE", "410 Gone");
    world.put(good)();
    await until(() =>
      expect(world.problems).toEqual([
        `the version 103 of ConfigMap ${namespace}/skills-etl could not be read and is not judged`,
      ]),
    );
  });
});

describe("a rollout of one that does not comply to the next one", () => {
  it("is not named anew, though the old ConfigMap is deleted under the last old pods", async () => {
    world = new StoredWorld();
    for (const set of ["etl-1", "etl-2"]) world.deployments.set(set, "etl");
    world.put(evil, "old");
    world.create("etl-1-a", good, { from: "old", owner: replicaSet("etl-1") });
    await world.start().stands({ payments: 1 });
    world.put(evil, "new")();
    world.create("etl-2-a", good, { from: "new", owner: replicaSet("etl-2") })();
    await until(() => expect(world.reads).toBeGreaterThan(1));
    world.put(undefined, "old")();
    await until(() => expect(world.reads).toBeGreaterThan(2));
    world.delete("etl-1-a")();
    // Another one, which certainly is judged after it.
    world.create("etl-2-b", good, { from: "new", owner: replicaSet("etl-2") })();
    world.put(evil, "other");
    world.create("other", good, { from: "other" })();
    await world.stands({ payments: 2 });
    expect(named()).toEqual(["Deployment etl", "Pod other"]);
  });
});

describe("what is changed back and forth", () => {
  /** Changes the skill there and back. */
  async function flap(rounds: number, workloads: number): Promise<void> {
    for (let round = 0; round < rounds; round += 1) {
      world.put(evil)();
      await world.stands({ payments: workloads });
      world.put(good)();
      await world.stands({ payments: 0 });
    }
  }
  const excess = expect.stringMatching(
    `^workloads of Namespace ${namespace} cease to comply more often than they are named: .* look who `,
  ) as unknown;

  it("is named a few times and counted each time, and what a workload is named for no more is said once", async () => {
    await running("etl").stands({ payments: 0 });
    await flap(5, 1);
    expect([named().length, world.problems]).toEqual([5, []]);
    await flap(3, 1);
    expect([named().length, world.problems]).toEqual([5, [excess]]);
    // Another one is named all the same.
    world.put(evil, "other");
    world.create("other", good, { from: "other" })();
    await world.stands({ payments: 1 });
    expect(named().at(-1)).toBe("Pod other");
  });

  it("under thousands of pods is named for some of them, the rest being counted", async () => {
    running(...Array.from({ length: 1_200 }, (_, at) => `etl-${at}`));
    await world.stands({ payments: 0 });
    world.put(evil)();
    await world.stands({ payments: 1_200 });
    await until(() => expect(world.problems).toEqual([excess]));
    expect(named().length).toBeGreaterThanOrEqual(1_000);
    expect(named().length).toBeLessThan(1_200);
  });
});

describe("owners", () => {
  it("are named in place of their pods, from the top", async () => {
    world = new StoredWorld();
    world.put(evil);
    world.deployments.set("etl-1", "etl");
    for (const pod of ["etl-1-a", "etl-1-b"]) world.create(pod, good, { owner: replicaSet("etl-1") });
    world.create("forger", good, { owner: replicaSet("forged") });
    await world.start().stands({ payments: 2 });
    expect(named().toSorted()).toEqual(["Deployment etl", "Pod forger"]);
    expect(world.notices.find(({ workload }) => workload.name === "etl")).toMatchObject({ podCount: 2 });
    expect(world.standings?.[0]?.first).toEqual([`Deployment ${namespace}/etl`, `Pod ${namespace}/forger`]);
    world.delete("etl-1-a")();
    world.delete("forger")();
    await world.stands({ payments: 1 });
    world.delete("etl-1-b")();
    await world.stands({ payments: 0 });
  });
});

describe("a policy that changes", () => {
  it("names what runs already when it is tightened, and nothing any more when it is loosened", async () => {
    await running("etl").stands({ payments: 0 });
    world.govern(policyObject({ evidence: { freshness: "MEDIUM" } }));
    await world.stands({ payments: 1 });
    expect(world.notices[0]?.codes).toEqual(["GRADE_BELOW_MINIMUM"]);
    world.govern(policyObject());
    await world.stands({ payments: 0 });
    world.govern();
    await world.stands({});
  });

  const closed = (data: readonly string[]) =>
    policyObject({ closed: { podSelector: { matchLabels: { runtime: "agent" } }, data } });

  /** Has a pod mount a claim as well. */
  function addClaim(name: string): KubernetesObject {
    const key = `${namespace}/${name}`;
    const pod = world.pods.get(key)!;
    const spec = pod["spec"] as { volumes: object[]; containers: { volumeMounts: object[] }[] };
    const mount = { name: "claim", mountPath: "/data/x" };
    const changed = {
      ...pod,
      spec: {
        volumes: [...spec.volumes, { name: "claim", persistentVolumeClaim: { claimName: "c" } }],
        containers: [{ ...spec.containers[0], volumeMounts: [...spec.containers[0]!.volumeMounts, mount] }],
      },
    };
    world.pods.set(key, changed);
    return changed;
  }

  it("closes pods by their labels, each by its own", async () => {
    world = new StoredWorld();
    world.put(good);
    world.create("closed", good, { more: { labels: { runtime: "agent" } } });
    world.create("open", good);
    for (const name of ["closed", "open"]) addClaim(name);
    await world.start().stands({ payments: 0 });
    world.govern(closed(["/cache"]));
    await world.stands({ payments: 1 });
    expect(world.standings?.[0]?.first).toEqual([`Pod ${namespace}/closed`]);
    expect(world.notices[0]?.codes).toEqual(["MOUNT_NOT_ALLOWED"]);
    world.govern(closed(["/data"]));
    await world.stands({ payments: 0 });
  });

  it("closes pods by the labels that they have by then", async () => {
    world = new StoredWorld();
    world.put(good);
    world.create("etl", good);
    const pod = addClaim("etl");
    await world.start().stands({ payments: 0 });
    const metadata = { ...(pod.metadata as object), labels: { runtime: "agent" }, resourceVersion: "900" };
    world.recheck.podStored(`${namespace}/etl`, { ...pod, metadata });
    world.govern(closed(["/cache"]));
    await world.stands({ payments: 1 });
  });
});

describe("reads that fail", () => {
  it("are tried again, and name nobody", async () => {
    world = new StoredWorld();
    world.put(evil);
    world.create("etl", good);
    world.failing = new SourceError("TIMEOUT", "late");
    // More often than a pass waits for: what is stored is tried on and on.
    world.failures = 5;
    world.start();
    await world.stands({ payments: 1 });
  });

  it("of pods that go meanwhile hold up no pass", async () => {
    world = new StoredWorld();
    world.put(good);
    world.create("etl", good);
    world.failing = new SourceError("TIMEOUT", "late");
    world.failures = 1;
    world.start();
    while (world.reads === 0) await turn();
    world.delete("etl")();
    await until(() => expect(world.passes).toMatchObject([{ complete: true }]));
  });

  it("leave what was found before, and the pass is not complete", async () => {
    world = new StoredWorld();
    world.put(evil);
    world.create("etl", good);
    await world.start().stands({ payments: 1 });
    world.failing = new SourceError("SOURCE_UNAVAILABLE", "503");
    world.passIsDue();
    await until(() => expect(world.passes.map(({ complete }) => complete)).toEqual([true, false]));
    expect(world.counts).toEqual({ payments: 1 });
    world.failing = undefined;
    world.passIsDue();
    await until(() => expect(world.passes).toHaveLength(3));
    expect(world.passes.at(-1)?.complete).toBe(true);
    expect(world.notices).toHaveLength(1);
  });

  it("do not hide a pod that cannot be judged for its size", async () => {
    running("etl");
    world.failing = new SourceError("LIMIT_EXCEEDED", "it is too large");
    world.put(good)();
    await world.stands({ payments: 1 });
    expect(world.notices[0]?.codes).toEqual(["LIMIT_EXCEEDED"]);
  });
});

describe("a look at everything", () => {
  it("comes to its end though ever new pods come, all different", async () => {
    running("etl");
    const over = new AbortController();
    const creating = (async () => {
      for (let at = 0; !over.signal.aborted; at += 1) {
        world.put(good, `own-${at}`);
        world.create(`new-${at}`, good, { from: `own-${at}` })();
        await turn();
      }
    })();
    await until(() => expect(world.passes).toMatchObject([{ complete: true }])).finally(() => over.abort());
    await creating;
  });

  it("reaches the pods of a namespace while all that may be judged of another is slow", async () => {
    world = new StoredWorld();
    world.labels.set("quiet", { tenant: "payments" });
    for (let at = 0; at < 10; at += 1) {
      world.put(good, `slow-${at}`);
      world.create(`slow-${at}`, good, { from: `slow-${at}` });
    }
    await world.start().stands({ payments: 0 });
    const { promise, resolve } = Promise.withResolvers<undefined>();
    world.slow = { namespace, until: promise };
    for (let at = 0; at < 10; at += 1) world.put(evil, `slow-${at}`)();
    // Until it takes all that it may.
    for (let at = 0; at < 50; at += 1) await turn();
    world.recheck.podStored("quiet/loose", {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: "loose", namespace: "quiet", uid: "u", resourceVersion: "9" },
      spec: {
        volumes: [{ name: "own", hostPath: { path: "/x" } }],
        containers: [{ name: "agent", image: "i", volumeMounts: [{ name: "own", mountPath: "/skills" }] }],
      },
    });
    await until(() => expect(named()).toEqual(["Pod loose"])).finally(() => resolve(undefined));
    await world.stands({ payments: 11 });
  });
});

describe("pods for which there is no memory", () => {
  it("are told once, and no look at everything is complete while there are some", async () => {
    world = new StoredWorld(4_000);
    world.put(good);
    for (const pod of ["a", "b", "c", "d", "e", "f", "g", "h"]) world.create(pod, good);
    world.start();
    await until(() => expect(world.passes).toMatchObject([{ complete: false }]));
    expect(world.problems).toEqual([
      expect.stringMatching(/^the pods of the cluster take more .* delete them$/),
    ]);
    expect(world.leftOut.at(-1)).toBeGreaterThan(0);
    for (const pod of ["a", "b", "c", "d", "e", "f", "g", "h"]) world.delete(pod)();
    expect(world.leftOut.at(-1)).toBe(0);
  });
});

describe("a pod that changes", () => {
  it("is judged with the files that its earlier image may have left", async () => {
    const spec = (image: string) => ({
      volumes: [{ name: "own", emptyDir: {} }],
      containers: [{ name: "agent", image, volumeMounts: [{ name: "own", mountPath: "/skills" }] }],
    });
    const pod = (image: string, resourceVersion: string) => ({
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: "agent", namespace, uid: "u", resourceVersion },
      spec: spec(image),
    });
    world = new StoredWorld();
    world.recheck.podStored(`${namespace}/agent`, pod("writer", "1"));
    await world.start().stands({ payments: 0 });
    world.recheck.podStored(`${namespace}/agent`, pod("agent", "2"));
    await world.stands({ payments: 1 });
    expect(world.notices[0]?.codes).toEqual(["SOURCE_UNVERIFIABLE"]);
  });

  it("is not understood: that is said, and others are judged", async () => {
    running("etl");
    world.recheck.podStored(`${namespace}/odd`, { metadata: { name: "odd", namespace }, spec: 7 });
    await world.stands({ payments: 0 });
    expect(world.problems).toEqual([expect.stringMatching(`^Pod ${namespace}/odd is not judged: `)]);
  });
});

describe("what pods meet of trust and revocations", () => {
  const file = good.files.get("scripts/run.sh")!.sha256;
  const list = (spec: Readonly<Record<string, unknown>> = {}) =>
    skillRevocationList("l", { files: [{ digest: `sha256:${file}`, reason: "harmful" }], ...spec });
  const keys = () => [...(world.seen ?? [])].filter((mark) => mark.startsWith("key "));

  it("is told while a pod has it: the key, the publisher, the entry of a list", async () => {
    await running("etl").stands({ payments: 0 });
    expect(keys()).toHaveLength(1);
    expect([...world.seen!]).toEqual([...keys(), "publisher payments/team"]);
    world.revoke([list()], policyObject());
    await until(() => expect([...world.seen!]).toContain(`files ${file}`));
    const before = world.seen;
    world.create("second", good)();
    world.passIsDue();
    await until(() => expect(world.passes.length).toBeGreaterThan(2));
    expect(world.seen).toBe(before);
    for (const name of ["etl", "second"]) world.delete(name)();
    await until(() => expect([...world.seen!]).toEqual([]));
  });

  it("counts nothing that no trust proves", async () => {
    world = new StoredWorld();
    world.put(withFiles(good, { "skill.oms.sig": "{}" }));
    world.create("etl", good);
    await world.start().stands({ payments: 1 });
    expect([...world.seen!]).toEqual([]);
  });

  it("holds workloads against a list that is enforced always, where no policy governs too", async () => {
    running("etl");
    world.revoke([list({ enforcement: "Always" })]);
    await world.stands({ "SkillRevocationList/l": 1 });
    expect(world.notices.at(-1)!.text(1024).split("\n")[0]).toBe(
      `SkillRevocationList "l" (Enforce) is not met by Pod ${namespace}/etl, which is stored: 1 of 1 skill failed: data-designer REVOKED scripts/run.sh`,
    );
    expect(noncomplianceEvent(world.notices.at(-1)!).related).toMatchObject({
      kind: "SkillRevocationList",
      name: "l",
    });
  });
});
