import { describe, expect, it } from "vitest";

import type { KubernetesObject } from "../../../../src/kubernetes/object.ts";
import { sameSkillInputs } from "../../../../src/workload/carriers/unchanged.ts";
import {
  configMap,
  container,
  mount,
  podObject,
  tokenVolume,
  volume,
  type Part,
} from "../../../fixtures/pods.ts";

const agent = container("agent", [mount("v", "/skills/x")], {
  env: [{ name: "A", value: "b" }],
  command: ["run"],
});
const parts = { volumes: [volume("v", configMap("cm"))], containers: [agent] };
const before = podObject(parts);

const deployment = (spec: Part, template: Part = {}): KubernetesObject => ({
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name: "etl" },
  spec: { template: { spec: before["spec"], ...template }, ...spec },
});

const withSpec = (more: Part): KubernetesObject => podObject({ ...parts, more });
const withContainer = (more: Part): KubernetesObject =>
  podObject({ ...parts, containers: [{ ...agent, ...more }] });

describe("sameSkillInputs", () => {
  it.each<[string, KubernetesObject]>([
    ["nothing", before],
    [
      "finalizers and deletion",
      { ...before, metadata: { name: "etl", finalizers: [], deletionTimestamp: "now" } },
    ],
    ["status", { ...before, status: { phase: "Running" } }],
    ["labels that nothing reads", { ...before, metadata: { name: "etl", labels: { a: "b" } } }],
    ["tolerations", withSpec({ tolerations: [{ key: "k" }] })],
    ["the node", withSpec({ nodeName: "n", schedulingGates: [], activeDeadlineSeconds: 1 })],
    ["resources", withContainer({ resources: { limits: { cpu: "2" } }, resizePolicy: [] })],
  ])("says so when only %s changed", (_, after) => {
    expect(sameSkillInputs(before, after)).toBe(true);
    expect(sameSkillInputs(after, before)).toBe(true);
  });

  it("lets a workload be scaled, paused and rolled out differently", () => {
    expect(
      sameSkillInputs(deployment({ replicas: 3 }), deployment({ replicas: 0, paused: true, strategy: {} })),
    ).toBe(true);
  });

  it.each<[string, KubernetesObject]>([
    ["a volume", podObject({ ...parts, volumes: [volume("v", configMap("other"))] })],
    ["one more volume", podObject({ ...parts, volumes: [...parts.volumes, volume("w", { emptyDir: {} })] })],
    ["no volumes at all", podObject({ containers: [agent] })],
    ["a mount", withContainer({ volumeMounts: [mount("v", "/skills/y")] })],
    ["an image", withContainer({ image: "other" })],
    ["a command", withContainer({ command: ["run", "more"] })],
    ["arguments", withContainer({ args: [] })],
    ["a variable", withContainer({ env: [{ name: "A", value: "c" }] })],
    ["envFrom", withContainer({ envFrom: [{ configMapRef: { name: "x" } }] })],
    ["the working directory", withContainer({ workingDir: "/x" })],
    ["a lifecycle hook", withContainer({ lifecycle: { postStart: {} } })],
    ["a probe, which may run a command", withContainer({ livenessProbe: { exec: { command: ["x"] } } })],
    ["the termination message's path", withContainer({ terminationMessagePath: "/skills/x/SKILL.md" })],
    ["privileges", withContainer({ securityContext: { privileged: true } })],
    ["a claimed device", withContainer({ resources: { claims: [{ name: "x" }] } })],
    ["init containers", withSpec({ initContainers: [agent] })],
    ["ephemeral containers", withSpec({ ephemeralContainers: [agent] })],
    ["a field of the future", withSpec({ somethingNew: {} })],
    ["the name", { ...before, metadata: { name: "other" } }],
    ["the kind", deployment({})],
    ["a container that is no object", podObject({ ...parts, containers: ["x"] as never })],
  ])("sees a change of %s", (_, after) => {
    expect(sameSkillInputs(before, after)).toBe(false);
    expect(sameSkillInputs(after, before)).toBe(false);
  });

  it("CVE-2023-34091: does not let a changed pod pass because it is being deleted", () => {
    const metadata = { name: "etl", deletionTimestamp: "2026-01-01T00:00:00Z" };
    const swapped = podObject({ ...parts, volumes: [volume("v", configMap("evil"))] });
    expect(sameSkillInputs({ ...before, metadata }, { ...swapped, metadata })).toBe(false);
  });

  it("sees labels and annotations change where a volume or variable reads them", () => {
    const own: readonly Part[] = [
      {
        volumes: [
          volume("v", {
            downwardAPI: { items: [{ path: "f", fieldRef: { fieldPath: "metadata.labels" } }] },
          }),
        ],
      },
      {
        containers: [
          { ...agent, env: [{ name: "A", valueFrom: { fieldRef: { fieldPath: "metadata.labels['a']" } } }] },
        ],
      },
      { volumes: [volume("v", { projected: { sources: [{ downwardAPI: {} }] } })] },
      { volumes: [volume("v", { downwardAPI: { items: [{ path: "f", somethingNew: {} }] } })] },
      {
        volumes: [
          tokenVolume(),
          volume("v", {
            downwardAPI: {
              items: ["metadata.name", "metadata.annotations['a']"].map((fieldPath) => ({
                path: fieldPath,
                fieldRef: { fieldPath },
              })),
            },
          }),
        ],
      },
    ];
    for (const more of own) {
      const one = podObject({ ...parts, ...more });
      for (const field of ["labels", "annotations"]) {
        const other = { ...one, metadata: { name: "etl", [field]: { a: "c" } } };
        expect(sameSkillInputs(one, other)).toBe(false);
        expect(sameSkillInputs(one, one)).toBe(true);
      }
    }
  });

  it("lets them change where only fields that stay are read, as beside every account's token", () => {
    const env = ["metadata.name", "metadata.uid"].map((fieldPath) => ({
      name: "A",
      valueFrom: { fieldRef: { fieldPath } },
    }));
    const volumes = [...parts.volumes, tokenVolume()];
    const one = podObject({ volumes, containers: [{ ...agent, env }] });
    const other = { ...one, metadata: { name: "etl", labels: { a: "b" }, annotations: { a: "b" } } };
    expect(sameSkillInputs(one, other)).toBe(true);
    expect(sameSkillInputs(other, one)).toBe(true);
  });

  it("takes a template's metadata for the pod's", () => {
    const spec = podObject({ ...parts, volumes: [volume("v", { downwardAPI: {} })] })["spec"];
    const one = deployment({}, { spec, metadata: { labels: { a: "b" } } });
    expect(sameSkillInputs(one, deployment({}, { spec, metadata: { labels: { a: "c" } } }))).toBe(false);
  });

  it("takes what it cannot understand for changed", () => {
    expect(sameSkillInputs({ apiVersion: "v1", kind: "Pod" }, before)).toBe(false);
    expect(sameSkillInputs({}, {})).toBe(false);
  });
});
