import { describe, expect, it } from "vitest";

import { SourceError } from "../../../../src/skill/source-error.ts";
import { podOf } from "../../../../src/workload/carriers/pod-of.ts";

const spec = { containers: [] };
const template = { metadata: { labels: { a: "b" }, annotations: { c: "d" } }, spec };
const metadata = { name: "etl" };

const carriers: readonly [string, string, object, string][] = [
  ["v1", "PodTemplate", { template }, "template.spec"],
  ["v1", "ReplicationController", { spec: { template } }, "spec.template.spec"],
  ["apps/v1", "Deployment", { spec: { template } }, "spec.template.spec"],
  ["apps/v1", "ReplicaSet", { spec: { template } }, "spec.template.spec"],
  ["apps/v1", "StatefulSet", { spec: { template } }, "spec.template.spec"],
  ["apps/v1", "DaemonSet", { spec: { template } }, "spec.template.spec"],
  ["batch/v1", "Job", { spec: { template } }, "spec.template.spec"],
  [
    "batch/v1",
    "CronJob",
    { spec: { jobTemplate: { spec: { template } } } },
    "spec.jobTemplate.spec.template.spec",
  ],
];

describe("podOf", () => {
  it("reads a Pod", () => {
    expect(
      podOf({ apiVersion: "v1", kind: "Pod", metadata: { ...metadata, labels: { a: "b" } }, spec }, "ns"),
    ).toEqual({
      kind: "Pod",
      namespace: "ns",
      name: "etl",
      isPod: true,
      field: "spec",
      labels: { a: "b" },
      annotations: {},
      spec,
    });
  });

  it.each(carriers)("reads the pod of %s %s", (apiVersion, kind, rest, field) => {
    expect(podOf({ apiVersion, kind, metadata, ...rest }, "ns")).toEqual({
      kind,
      namespace: "ns",
      name: "etl",
      isPod: false,
      field,
      labels: { a: "b" },
      annotations: { c: "d" },
      spec,
    });
  });

  it("names a pod without a name after its prefix", () => {
    expect(
      podOf({ apiVersion: "v1", kind: "Pod", metadata: { generateName: "etl-" }, spec }, "ns")?.name,
    ).toBe("etl-*");
    expect(podOf({ apiVersion: "v1", kind: "Pod", spec }, "ns")?.name).toBe("");
  });

  it("knows nothing of other kinds, nor of these names in other groups", () => {
    for (const [apiVersion, kind] of [
      ["v1", "Service"],
      ["v1", "Deployment"],
      ["example.com/v1", "Pod"],
      ["example.com/v1", "Deployment"],
      ["v1", "constructor"],
      [1, "Pod"],
      ["v1", undefined],
    ]) {
      expect(podOf({ apiVersion, kind, metadata, spec }, "ns")).toBeUndefined();
    }
  });

  it("reads versions of a group that it has never heard of", () => {
    expect(
      podOf({ apiVersion: "apps/v9", kind: "Deployment", metadata, spec: { template } }, "ns"),
    ).toBeDefined();
  });

  it("makes no pod of a ReplicationController without template", () => {
    expect(
      podOf({ apiVersion: "v1", kind: "ReplicationController", metadata, spec: {} }, "ns"),
    ).toBeUndefined();
    expect(podOf({ apiVersion: "v1", kind: "ReplicationController", metadata }, "ns")).toBeUndefined();
  });

  it("gives a StatefulSet's pods its claims as volumes, in place of those of the same name", () => {
    const volumes = [
      { name: "data", emptyDir: {} },
      { name: "other", emptyDir: {} },
    ];
    const set = {
      apiVersion: "apps/v1",
      kind: "StatefulSet",
      metadata,
      spec: {
        template: { spec: { ...spec, volumes } },
        volumeClaimTemplates: [{ metadata: { name: "data" } }],
      },
    };
    expect(podOf(set, "ns")?.spec["volumes"]).toEqual([
      { name: "other", emptyDir: {} },
      { name: "data", persistentVolumeClaim: { claimName: "data" } },
    ]);
  });

  it.each([
    ["spec is missing", { apiVersion: "v1", kind: "Pod" }],
    ["spec is not an object", { apiVersion: "v1", kind: "Pod", spec: [] }],
    ["spec.template is missing", { apiVersion: "apps/v1", kind: "Deployment", spec: {} }],
    [
      "spec.jobTemplate is not an object",
      { apiVersion: "batch/v1", kind: "CronJob", spec: { jobTemplate: "x" } },
    ],
    ["spec.template.spec is missing", { apiVersion: "batch/v1", kind: "Job", spec: { template: {} } }],
    ["metadata is not an object", { apiVersion: "v1", kind: "Pod", metadata: "x", spec }],
    ["metadata.name is not text", { apiVersion: "v1", kind: "Pod", metadata: { name: 1 }, spec }],
    [
      'metadata.labels["a"] is not text',
      { apiVersion: "v1", kind: "Pod", metadata: { labels: { a: 1 } }, spec },
    ],
    [
      "spec.volumeClaimTemplates[0].metadata is missing",
      { apiVersion: "apps/v1", kind: "StatefulSet", spec: { template, volumeClaimTemplates: [{}] } },
    ],
  ])("says that %s", (message, object) => {
    expect(() => podOf(object, "ns")).toThrow(message);
    expect(() => podOf(object, "ns")).toThrow(SourceError);
  });
});
