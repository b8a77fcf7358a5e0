import type { Policy } from "../policy/policy.ts";
import type { SkillReference } from "../skill/reference.ts";
import { objectsToRead } from "../workload/objects-to-read.ts";
import { readPodSpec } from "../workload/pod/pod-spec.ts";
import type { PodSubject } from "../workload/pod/pod-subject.ts";
import { rootsOf } from "./evaluate.ts";

/** The policies that review the binding of pods to nodes. */
export const atBinding = (policies: readonly Policy[]): readonly Policy[] =>
  policies.filter(({ recheck }) => recheck === "Binding");

/**
 * The node that a pod, or its template, brings with it, as a fault to policies that review its binding: it is never
 * bound. A pod that reads no object passes: nothing of it can change before it starts.
 * @throws SourceError LIMIT_EXCEEDED
 */
export function presetNode(pod: PodSubject, policies: readonly Policy[]): readonly SkillReference[] {
  const { nodeName } = pod.spec;
  const demanding = atBinding(policies).map(({ name }) => name);
  if (demanding.length === 0 || nodeName === undefined || nodeName === null || nodeName === "") return [];
  const spec = readPodSpec(pod);
  const [object] = objectsToRead(spec, rootsOf(policies));
  if (object === undefined) return [];
  const field = `${spec.field}.nodeName`;
  return [
    {
      name: field,
      path: "",
      containers: spec.containers.map(({ name }) => name),
      sources: [{ kind: "Other", name: field, writable: false }],
      content: {
        state: "fault",
        demand: "binding",
        field,
        policies: demanding,
        detail: `${field} is set, so the pod is never bound to a node, and ${object.kind} ${object.name} is not looked at again before it starts`,
      },
    },
  ];
}
