import type { Policy } from "../policy/policy.ts";
import type { ObjectReference } from "../workload/carriers/owner.ts";
import { workloadKey, workloadText } from "./notices.ts";
import type { Standing } from "./ports.ts";
import type { Shape } from "./shape.ts";
import type { StoredPod } from "./stored-pod.ts";

/** Workloads that are named of one policy. */
const maxFirst = 10;

/** How all policies stand. */
export interface Standings {
  readonly all: readonly Standing[];
  /** Keys of the workloads that some policy is not met by. */
  readonly short: ReadonlySet<string>;
}

/** How each policy stands: the workloads with a stored pod that does not meet it. */
export function standingsOf(
  shapes: Iterable<Shape>,
  policies: readonly Pick<Policy, "name" | "mode">[],
  workloadOf: (pod: StoredPod) => ObjectReference,
): Standings {
  const short = new Map<string, Map<string, ObjectReference>>();
  for (const { result = [], pods } of shapes) {
    if (result.length === 0) continue;
    const workloads = new Map<string, ObjectReference>();
    for (const pod of pods.values()) {
      const workload = workloadOf(pod);
      workloads.set(workloadKey(workload), workload);
    }
    for (const { policy } of result) {
      const known = short.get(policy) ?? new Map<string, ObjectReference>();
      for (const [key, workload] of workloads) known.set(key, workload);
      short.set(policy, known);
    }
  }
  const all = policies.map(({ name, mode }) => {
    const workloads = short.get(name) ?? new Map<string, ObjectReference>();
    return {
      policy: name,
      mode,
      workloads: workloads.size,
      first: [...workloads.values()].map(workloadText).sort().slice(0, maxFirst),
    };
  });
  return { all, short: new Set(short.values().flatMap((workloads) => workloads.keys())) };
}
