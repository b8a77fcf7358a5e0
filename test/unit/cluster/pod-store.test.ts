import { describe, expect, it } from "vitest";
import { PodStore, slimPod } from "../../../src/cluster/pod-store.ts";
import { objectsToRead } from "../../../src/workload/objects-to-read.ts";
import { podOf } from "../../../src/workload/carriers/pod-of.ts";
import { readPodSpec } from "../../../src/workload/pod/pod-spec.ts";
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

describe("slimPod", () => {
  it("drops what no question is about and keeps what decides which files are seen", () => {
    const slim = slimPod(pod("a"));
    expect(JSON.stringify(slim)).not.toMatch(/managedFields|last-applied|nodeName|image/);
    expect(slim).toMatchObject({
      metadata: { name: "p", annotations: { kept: "yes" } },
      spec: { containers: [{ env: [{ name: "HOME" }], workingDir: "/w" }], volumes: [{ name: "v" }] },
    });
    const read = (object: KubernetesObject) => objectsToRead(readPodSpec(podOf(object, "n")!), []);
    expect(read(slim)).toEqual(read(pod("a")));
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
    const store = new PodStore(() => time);
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
