import { describe, expect, it } from "vitest";

import { podShapeIn } from "../../../../src/workload/carriers/pod-shape.ts";

const container = { name: "agent", image: "example.com/agent" };
const podSpec = { containers: [container] };
const template = { metadata: { labels: {} }, spec: podSpec };

describe("podShapeIn", () => {
  it.each<[string, string, object, string]>([
    ["argoproj.io/v1alpha1", "Rollout", { template }, "spec.template.spec.containers"],
    ["serving.knative.dev/v1", "Service", { template }, "spec.template.spec.containers"],
    ["extensions/v1beta1", "Deployment", { template }, "spec.template.spec.containers"],
    ["agents.x-k8s.io/v1alpha1", "Sandbox", { podTemplate: template }, "spec.podTemplate.spec.containers"],
    [
      "argoproj.io/v1alpha1",
      "CronWorkflow",
      {
        workflowSpec: {
          templates: [
            { name: "dag", dag: {} },
            { name: "a", container },
          ],
        },
      },
      "spec.workflowSpec.templates[1].container",
    ],
    [
      "argoproj.io/v1alpha1",
      "Workflow",
      { templates: [{ script: { image: "x", source: "y" } }] },
      "spec.templates[0].script",
    ],
    ["tekton.dev/v1", "TaskRun", { taskSpec: { steps: [container] } }, "spec.taskSpec.steps"],
    [
      "ray.io/v1",
      "RayCluster",
      { workerGroupSpecs: [{ groupName: "g" }, { template }] },
      "spec.workerGroupSpecs[1].template.spec.containers",
    ],
    [
      "kubeflow.org/v1",
      "PyTorchJob",
      { pytorchReplicaSpecs: { Worker: { template } } },
      "spec.pytorchReplicaSpecs.Worker.template.spec.containers",
    ],
    ["serving.kserve.io/v1beta1", "InferenceService", { predictor: podSpec }, "spec.predictor.containers"],
    [
      "example.com/v1",
      "Agent",
      { volumeMounts: [{ name: "skills", mountPath: "/skills" }] },
      "spec.volumeMounts",
    ],
    [
      "example.com/v1",
      "Agent",
      { template: { spec: { initContainers: [{ name: "i", volumeMounts: [{ mountPath: "/x" }] }] } } },
      "spec.template.spec.initContainers",
    ],
  ])("finds it in %s %s", (apiVersion, kind, spec, path) => {
    expect(podShapeIn({ apiVersion, kind, metadata: { name: "x" }, spec })).toBe(path);
  });

  it("finds it outside of spec, and in a list of whole objects", () => {
    const deployment = { apiVersion: "apps/v1", kind: "Deployment", spec: { template } };
    const object = { apiVersion: "template.openshift.io/v1", kind: "Template", objects: [{}, deployment] };
    expect(podShapeIn(object)).toBe("objects[1].spec.template.spec.containers");
  });

  it("finds what a policy of Kyverno makes", () => {
    const spec = {
      rules: [{ validate: { pattern: { spec: podSpec } } }, { generate: { data: { spec: podSpec } } }],
    };
    expect(podShapeIn({ apiVersion: "kyverno.io/v1", kind: "ClusterPolicy", spec })).toBe(
      "spec.rules[1].generate.data.spec.containers",
    );
  });

  it("names what stands nearest to the top", () => {
    const deep = { a: { b: { spec: podSpec } } };
    expect(
      podShapeIn({ apiVersion: "e/v1", kind: "E", spec: { deep, podTemplate: { spec: podSpec } } }),
    ).toBe("spec.podTemplate.spec.containers");
  });

  it.each<[string, string, object]>([
    ["networking.k8s.io/v1", "Ingress", { spec: { rules: [{ host: "a", http: { paths: [] } }] } }],
    ["v1", "Service", { spec: { ports: [{ port: 80 }], selector: { app: "x" } } }],
    ["cert-manager.io/v1", "Certificate", { spec: { secretName: "s", image: "no container" } }],
    [
      "storage.example.com/v1",
      "Account",
      { spec: { containers: [{ name: "blob" }], container: "archive", steps: ["a"] } },
    ],
    ["example.com/v1", "Empty", { spec: { containers: [], initContainers: null, volumeMounts: [{}] } }],
    ["v1", "ConfigMap", { data: { "pod.yaml": JSON.stringify({ spec: podSpec }) } }],
    [
      "apiextensions.k8s.io/v1",
      "CustomResourceDefinition",
      { spec: { versions: [{ schema: { openAPIV3Schema: { default: podSpec } } }] } },
    ],
    [
      "kyverno.io/v1",
      "ClusterPolicy",
      { spec: { rules: [{ validate: { pattern: { spec: podSpec } } }, { mutate: { patch: podSpec } }] } },
    ],
    ["constraints.gatekeeper.sh/v1beta1", "K8sPods", { spec: { parameters: podSpec } }],
  ])("is silent about %s %s", (apiVersion, kind, fields) => {
    expect(podShapeIn({ apiVersion, kind, metadata: { name: "x" }, ...fields })).toBeUndefined();
  });

  it("looks neither at what managers of fields nor at what controllers say", () => {
    const metadata = { name: "x", managedFields: [{ fieldsV1: podSpec }] };
    expect(
      podShapeIn({ apiVersion: "e/v1", kind: "E", metadata, spec: {}, status: { template } }),
    ).toBeUndefined();
  });

  it("looks at every part of large and deep objects", () => {
    const wide = Array.from({ length: 20_000 }, () => ({ containers: [{ name: "none" }], steps: {} }));
    let deep: object = podSpec;
    for (let level = 0; level < 2_000; level += 1) deep = { a: deep };
    expect(podShapeIn({ apiVersion: "e/v1", kind: "E", spec: { wide } })).toBeUndefined();
    expect(podShapeIn({ apiVersion: "e/v1", kind: "E", spec: { wide, deep } })).toMatch(/\.a\.containers$/);
  });
});
