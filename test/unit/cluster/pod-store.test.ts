import { describe, expect, it } from "vitest";
import { PodStore } from "../../../src/cluster/pod-store.ts";
import type { KubernetesObject } from "../../../src/kubernetes/object.ts";

const pod = (configMap: string, more: object = {}): KubernetesObject => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: {
    name: "p",
    namespace: "n",
    managedFields: [{ manager: "m" }],
    annotations: { "kubectl.kubernetes.io/last-applied-configuration": "{}", kept: "yes" },
  },
  spec: {
    nodeName: "node",
    containers: [
      {
        name: "c",
        image: "i",
        env: [{ name: "HOME", value: "/home/agent" }],
        workingDir: "/w",
        volumeMounts: [{ name: "v", mountPath: "/skills/x" }],
      },
    ],
    volumes: [{ name: "v", configMap: { name: configMap } }],
  },
  ...more,
});
const ref = (name: string) => ({ kind: "ConfigMap", namespace: "n", name }) as const;

describe("PodStore", () => {
  it("finds pods by the objects that they mount, in their namespace only", () => {
    const store = new PodStore();
    store.set("n/p", pod("a"), "n");
    expect(store.using(ref("a")).map(({ name }) => name)).toEqual(["p"]);
    expect(store.using(ref("b"))).toEqual([]);
    expect(store.using({ ...ref("a"), namespace: "m" })).toEqual([]);
    expect(store.using({ ...ref("a"), kind: "Secret" })).toEqual([]);
  });

  it("finds projected ConfigMaps and Secrets, and volumes of init containers", () => {
    const store = new PodStore();
    const sources = [{ configMap: { name: "a" } }, { secret: { name: "s" } }];
    store.set(
      "n/p",
      pod("x", {
        spec: { initContainers: [], containers: [], volumes: [{ name: "v", projected: { sources } }] },
      }),
      "n",
    );
    expect(store.using(ref("a"))).toHaveLength(1);
    expect(store.using({ ...ref("s"), kind: "Secret" })).toHaveLength(1);
  });

  it("keeps a pod that was deleted for as long as its node may, apart from those that are there", () => {
    let now = 0;
    const store = new PodStore({ now: () => now });
    const gone = () => store.gone(ref("a")).map(({ name }) => name);
    store.set("n/p", pod("a"), "n");
    store.set("n/q", pod("a"), "n");
    store.delete("n/p", 60);
    store.delete("n/q");
    expect([store.using(ref("a")), gone(), store.size]).toEqual([[], ["p"], 0]);
    store.set("n/p", pod("a"), "n");
    store.delete("n/p", 90);
    now = 60_000;
    expect(gone()).toEqual(["p"]);
    now = 90_000;
    expect(gone()).toEqual([]);
  });

  it("takes a pod's newer state", () => {
    const store = new PodStore();
    store.set("n/p", pod("a"), "n");
    store.set("n/p", pod("b"), "n");
    expect(store.using(ref("a"))).toEqual([]);
    expect(store.using(ref("b"))).toHaveLength(1);
    expect(store.size).toBe(1);
  });

  it("forgets pods that are deleted, and keeps those that have ended: anybody may have written so", () => {
    const store = new PodStore();
    store.set("n/p", pod("a"), "n");
    store.delete("n/p");
    store.delete("n/p");
    expect(store.using(ref("a"))).toEqual([]);
    store.set("n/p", pod("a"), "n");
    store.set("n/p", pod("a", { status: { phase: "Failed" } }), "n");
    expect(store.using(ref("a"))).toHaveLength(1);
    expect([...store.keys()]).toEqual(["n/p"]);
  });

  it("keeps a pod that is being deleted: it still runs (CVE-2023-34091)", () => {
    const store = new PodStore();
    store.set("n/p", pod("a", { metadata: { name: "p", deletionTimestamp: "2026-01-01T00:00:00Z" } }), "n");
    expect(store.using(ref("a"))).toHaveLength(1);
  });

  it("takes items of a list, which have no kind", () => {
    const store = new PodStore();
    store.set("n/p", pod("a", { kind: undefined, apiVersion: undefined }), "n");
    expect(store.using(ref("a"))).toHaveLength(1);
  });

  it("throws for what is no pod, and keeps nothing of it", () => {
    const store = new PodStore();
    expect(() => store.set("n/p", pod("a", { spec: "text" }), "n")).toThrow(/spec/);
    expect(store.size).toBe(0);
  });
});

describe("PodStore in a bounded memory", () => {
  const replica = (name: string, more: object = {}): KubernetesObject =>
    pod("a", {
      metadata: {
        name,
        uid: name,
        creationTimestamp: "2026-01-01T00:00:00Z",
        labels: { app: "x" },
        annotations: { big: "x".repeat(100_000) },
      },
      ...more,
    });
  const specOf = (mounts: number, configMap = "a"): object => ({
    containers: [
      {
        name: "c",
        volumeMounts: Array.from({ length: mounts }, (_, at) => ({ name: "v", mountPath: `/m/${at}` })),
      },
    ],
    volumes: [{ name: "v", configMap: { name: configMap } }],
  });

  it("keeps what is read of a pod, and one spec for all pods of a template", () => {
    const store = new PodStore();
    store.set("n/p", replica("p"), "n");
    const alone = store.characters;
    for (let at = 0; at < 1000; at += 1) store.set(`n/p${at}`, replica(`p${at}`), "n");
    const [one, other] = store.using(ref("a"));
    expect(one).toEqual({
      kind: "Pod",
      namespace: "n",
      name: "p",
      isPod: true,
      createdAt: "2026-01-01T00:00:00Z",
      field: "spec",
      labels: { app: "x" },
      annotations: {},
      spec: {
        containers: [
          {
            name: "c",
            image: "i",
            env: [{ name: "HOME", value: "/home/agent" }],
            workingDir: "/w",
            volumeMounts: [{ name: "v", mountPath: "/skills/x" }],
          },
        ],
        volumes: [{ name: "v", configMap: { name: "a" } }],
      },
    });
    expect(other?.spec).toBe(one?.spec);
    expect({ ...one }.spec).toBe(one?.spec);
    expect(store.characters - alone).toBeLessThan(1000 * 250);
  });

  it("forgets a template with its last pod", () => {
    const store = new PodStore();
    store.set("n/p", replica("p"), "n");
    store.set("n/q", replica("q"), "n");
    store.delete("n/p");
    expect(store.using(ref("a"))).toHaveLength(1);
    store.delete("n/q");
    expect([store.using(ref("a")).length, store.characters, store.size]).toEqual([0, 0, 0]);
  });

  it("keeps as many pods as there is room for, and leaves out one more", () => {
    const one = new PodStore();
    one.set("n/0", replica("0", { spec: specOf(1) }), "n");
    const store = new PodStore({ limit: 3 * one.characters });
    const place = (at: number): void =>
      store.set(`n/${at}`, replica(`${at}`, { spec: specOf(1, `${at}`) }), "n");
    [0, 1, 2].forEach(place);
    expect([store.size, store.leftOut]).toEqual([3, 0]);
    expect(store.using(ref("1"))).toHaveLength(1);
    place(3);
    expect([store.size, store.leftOut]).toEqual([3, 1]);
    expect(() => store.using(ref("1"))).toThrow(
      expect.objectContaining({
        code: "LIMIT_EXCEEDED",
        message: expect.stringContaining("ConfigMap n/1") as string,
      }),
    );
    expect([...store.keys()]).toEqual(["n/0", "n/1", "n/2", "n/3"]);
    store.delete("n/0");
    place(3);
    expect(store.leftOut).toBe(0);
    expect(store.using(ref("3"))).toHaveLength(1);
  });

  it("takes the room from the namespace that has most, and closes no other", () => {
    const store = new PodStore({ limit: 50_000 });
    for (let at = 0; at < 50; at += 1)
      store.set(`big/${at}`, replica(`${at}`, { spec: specOf(at + 1) }), "big");
    expect(() => store.using({ ...ref("a"), namespace: "big" })).toThrow(
      /mount ConfigMap big\/a is not known/,
    );
    for (let at = 0; at < 10; at += 1) store.set(`n/${at}`, replica(`${at}`, { spec: specOf(at + 1) }), "n");
    expect(store.using(ref("a"))).toHaveLength(10);
    expect(store.characters).toBeLessThanOrEqual(50_000);
    for (const key of [...store.keys()]) if (key.startsWith("big/")) store.delete(key);
    expect(store.using({ ...ref("a"), namespace: "big" })).toEqual([]);
  });

  it("counts an expected pod for which there is no room, until it is known", () => {
    const store = new PodStore({ limit: 1000 });
    const forget = store.expect(replica("u", { spec: specOf(100) }), "n");
    expect(() => store.using(ref("a"))).toThrow(/not known/);
    forget();
    expect(store.using(ref("a"))).toEqual([]);
  });
});

describe("PodStore.expect", () => {
  const named = (uid: string, configMap = "a") =>
    pod(configMap, { metadata: { name: uid, namespace: "n", uid } });
  const names = (store: PodStore) => store.using(ref("a")).map(({ name }) => name);

  it("counts a pod until it is taken back", () => {
    const store = new PodStore();
    const forget = store.expect(named("u1"), "n");
    store.expect(named("u2"), "n");
    expect(names(store)).toEqual(["u1", "u2"]);
    forget();
    forget();
    expect(names(store)).toEqual(["u2"]);
  });

  it("leaves it to the watch from when it has shown the pod, so that its deletion counts", () => {
    const store = new PodStore();
    const forget = store.expect(named("u1"), "n");
    store.set("n/u1", named("u1"), "n");
    forget();
    expect(names(store)).toEqual(["u1"]);
    store.delete("n/u1");
    expect(names(store)).toEqual([]);
  });

  it("is not confused by the end of an older pod of that name", () => {
    const store = new PodStore();
    const old = pod("a", { metadata: { name: "p", namespace: "n", uid: "old" } });
    store.set("n/p", old, "n");
    store.expect(pod("a", { metadata: { name: "p", namespace: "n", uid: "new" } }), "n");
    store.set("n/p", old, "n");
    store.delete("n/p");
    expect(names(store)).toEqual(["p"]);
  });

  it("keeps expected pods out of what a list would delete", () => {
    const store = new PodStore();
    store.expect(named("u1"), "n");
    store.set("n/u2", named("u2"), "n");
    expect([...store.keys()]).toEqual(["n/u2"]);
  });

  it("forgets after some time, and the oldest first where they are too large together", () => {
    let time = 0;
    const store = new PodStore({ now: () => time });
    store.expect(named("u1"), "n");
    time = 34_000;
    expect(names(store)).toEqual(["u1"]);
    time = 36_000;
    expect(names(store)).toEqual([]);
    expect(store.size).toBe(0);
    const spec = (size: number) => ({
      containers: [{ name: "x".repeat(size) }],
      volumes: [{ name: "v", configMap: { name: "a" } }],
    });
    for (const uid of ["u1", "u2", "u3"]) {
      store.expect({ ...named(uid), spec: spec(7 * 1024 * 1024) }, "n");
    }
    expect(names(store)).toEqual(["u2", "u3"]);
    store.expect({ ...named("huge"), spec: spec(17 * 1024 * 1024) }, "n");
    expect(names(store)).toEqual([]);
  });

  it("expects nothing of a pod without uid, or without anything that could change", () => {
    const store = new PodStore();
    store.expect(pod("a"), "n")();
    store.expect({ ...named("u"), spec: { containers: [] } }, "n")();
    expect(store.size).toBe(0);
  });
});
