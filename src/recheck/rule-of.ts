import { closedBy } from "../evaluation/pod-faults.ts";
import type { Policy } from "../policy/policy.ts";
import type { PodSubject } from "../workload/pod/pod-subject.ts";
import type { RuleOf } from "./shapes.ts";

/** Tells pods apart that policies hold to different demands: policies close pods by their labels. */
export function ruleOf(policies: readonly Policy[]): RuleOf {
  const closing = policies.filter(({ closed }) => closed !== undefined);
  if (closing.length === 0) return () => "";
  return (labels) => closedBy({ labels } as PodSubject, closing);
}
