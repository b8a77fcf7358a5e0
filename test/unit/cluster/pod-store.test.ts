import { describe, expect, it } from "vitest";
import { PodStore, slimPod } from "../../../src/cluster/pod-store.ts";
import { objectsToRead } from "../../../src/workload/objects-to-read.ts";
import { podOf } from "../../../src/workload/pod-of.ts";
import type { KubernetesObject } from "../../../src/workload/kubernetes-object.ts";

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

  it("forgets pods that are deleted, and those that have ended", () => {
    const store = new PodStore();
    store.set("n/p", pod("a"), "n");
    store.delete("n/p");
    store.delete("n/p");
    expect(store.using(ref("a"))).toEqual([]);
    store.set("n/p", pod("a"), "n");
    store.set("n/p", pod("a", { status: { phase: "Failed" } }), "n");
    expect(store.using(ref("a"))).toEqual([]);
    expect([...store.keys()]).toEqual([]);
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
    const read = (object: KubernetesObject) => objectsToRead(podOf(object, "n")!, []);
    expect(read(slim)).toEqual(read(pod("a")));
  });
});
