import { describe, expect, it } from "vitest";
import { ConfigMapHolders } from "../../../src/cluster/config-map-holders.ts";
import type { KubernetesObject } from "../../../src/kubernetes/object.ts";

const ref = (name: string, namespace = "n") => ({ kind: "ConfigMap", namespace, name }) as const;

interface Options {
  readonly createdAt?: string;
  readonly spec?: object;
  readonly phase?: string;
}

/** A pod of a node, as it is in a list: without kind. */
const pod = (
  name: string,
  { createdAt = "2026-10-01T00:00:10Z", spec = {}, phase }: Options = {},
): KubernetesObject => ({
  metadata: { name, namespace: "n", creationTimestamp: createdAt },
  spec: { nodeName: "node", volumes: [{ name: "v", configMap: { name: "x" } }], containers: [], ...spec },
  ...(phase === undefined ? {} : { status: { phase } }),
});

/** Holders with a clock of their own, which tells of `x`. */
function holders() {
  let now = 0;
  const all = new ConfigMapHolders(() => now);
  return {
    all,
    names: (name = "x") => all.of(ref(name)).names(),
    since: () => all.of(ref("x")).since,
    wait: (seconds: number) => (now += seconds * 1000),
  };
}

describe("ConfigMapHolders", () => {
  it("finds pods by what their volumes and variables name, mounted or not", () => {
    const { all, names } = holders();
    const spec = {
      volumes: [
        { name: "p", projected: { sources: [{ configMap: { name: "b" } }, { secret: { name: "s" } }] } },
      ],
      initContainers: [{ name: "i", envFrom: [{ configMapRef: { name: "c" } }] }],
      containers: [
        { name: "a", env: [{ name: "A", valueFrom: { configMapKeyRef: { name: "d", key: "k" } } }] },
      ],
    };
    all.set("n/p", pod("p", { spec }), "n");
    expect(["b", "c", "d", "s", "x"].map((name) => names(name))).toEqual([["p"], ["p"], ["p"], [], []]);
    expect(all.of(ref("b", "m")).names()).toEqual([]);
    expect([...all.keys()]).toEqual(["n/p"]);
    all.set("n/p", pod("p"), "n");
    expect([names("b"), names("x")]).toEqual([[], ["p"]]);
  });

  it("keeps a pod under whose name another one came, though its deletion was not seen", () => {
    const { all, names, wait } = holders();
    const other = { volumes: [] };
    for (const [uid, spec] of [
      ["one", {}],
      ["two", other],
    ] as const) {
      const object = pod("p", { spec, phase: "Running" });
      all.set("n/p", { ...object, metadata: { ...(object.metadata as object), uid } }, "n");
    }
    expect(names()).toEqual(["p (deleted a moment ago)"]);
    wait(91);
    expect(names()).toEqual([]);
  });

  it("lets go of a pod that no node had, and later of one that has ended: its node takes down its volumes first", () => {
    const { all, names, wait } = holders();
    for (const [name, more, seconds] of [
      ["ended", { phase: "Succeeded" }, 60],
      ["failed", { phase: "Failed" }, 60],
      ["waiting", { spec: { nodeName: undefined } }, 0],
    ] as const) {
      all.set(`n/${name}`, pod(name, more), "n");
      expect(names()).toEqual([name]);
      expect(all.delete(`n/${name}`)).toBe(seconds);
      expect(names()).toEqual(seconds === 0 ? [] : [`${name} (deleted a moment ago)`]);
      wait(seconds - 1);
      expect(names()).toEqual(seconds === 0 ? [] : [`${name} (deleted a moment ago)`]);
      wait(1);
      expect(names()).toEqual([]);
    }
    expect(all.delete("n/unknown")).toBe(0);
  });

  it("keeps one that was deleted by force for its time of grace, whatever comes under its name", () => {
    const { all, names, wait } = holders();
    all.set("n/p", pod("p", { spec: { terminationGracePeriodSeconds: 600 }, phase: "Running" }), "n");
    all.set("n/q", pod("q"), "n");
    for (const key of ["n/p", "n/q"]) all.delete(key);
    expect(names()).toEqual(["p (deleted a moment ago)", "q (deleted a moment ago)"]);
    expect([...all.keys()]).toEqual([]);
    wait(91);
    expect(names()).toEqual(["p (deleted a moment ago)"]);
    all.set("n/p", pod("p", { phase: "Failed" }), "n");
    all.delete("n/p");
    wait(560);
    expect(names()).toEqual(["p (deleted a moment ago)"]);
    wait(10);
    expect(names()).toEqual([]);
  });

  it("knows since when the name was never without a pod", () => {
    const { all, since, wait } = holders();
    const at = (second: number) => ({ createdAt: `2026-10-01T00:00:${second}Z`, phase: "Succeeded" });
    expect(since()).toBeUndefined();
    all.set("n/a", pod("a", at(20)), "n");
    all.set("n/b", pod("b", at(30)), "n");
    all.set("n/a", pod("a", at(20)), "n");
    all.delete("n/a");
    expect(since()).toBe("2026-10-01T00:00:20Z");
    all.set("n/older", pod("older", at(10)), "n");
    expect(since()).toBe("2026-10-01T00:00:10Z");
    for (const key of ["n/older", "n/b"]) all.delete(key);
    expect(since()).toBe("2026-10-01T00:00:10Z");
    wait(61);
    expect(since()).toBeUndefined();
    all.set("n/c", pod("c", { createdAt: "2026-10-01T00:00:40Z" }), "n");
    all.delete("n/c");
    all.set("n/d", pod("d", at(50)), "n");
    wait(91);
    expect(since()).toBe("2026-10-01T00:00:40Z");
  });

  it("keeps as many names as there is memory for, and takes pods beyond for holders of any name of their namespace", () => {
    let now = 0;
    const all = new ConfigMapHolders(() => now, 1_000_000);
    const put = (name: string, count: number): void => {
      const envFrom = Array.from({ length: count }, (_, at) => ({ configMapRef: { name: `${name}-${at}` } }));
      all.set(`n/${name}`, pod(name, { spec: { containers: [{ name: "a", envFrom }] } }), "n");
    };
    const known = (one: ReturnType<typeof ref>) => {
      const { names, since } = all.of(one);
      return { names: names(), since };
    };
    all.set("quiet/q", pod("q"), "quiet");
    put("small", 10);
    put("large", 100_000);
    expect(all.of(ref("small-1")).names()).toEqual(["small", "those for which there is no memory"]);
    expect(known(ref("large-1"))).toEqual({ names: ["those for which there is no memory"], since: "" });
    expect(all.of(ref("x", "quiet")).names()).toEqual(["q"]);
    expect(known(ref("other", "quiet"))).toEqual({ names: [], since: undefined });
    expect([...all.keys()].sort()).toEqual(["n/large", "n/small", "quiet/q"]);
    // Whoever has fewer gets room from who has most.
    for (let at = 0; at < 10; at += 1) put(`medium-${at}`, 500);
    const names = Array.from({ length: 400 }, (_, at) => ({ configMapRef: { name: `y-${at}` } }));
    all.set("quiet/r", pod("r", { spec: { containers: [{ name: "a", envFrom: names }] } }), "quiet");
    expect(all.of(ref("y-1", "quiet")).names()).toEqual(["r"]);
    for (const key of [...all.keys()]) all.delete(key);
    expect([...all.keys()]).toEqual([]);
    expect(all.of(ref("large-1")).names()).toEqual(["some that were deleted"]);
    now += 91_000;
    expect(known(ref("large-1"))).toEqual({ names: [], since: undefined });
    put("again", 1000);
    expect(all.of(ref("again-1")).names()).toEqual(["again"]);
  });
});
