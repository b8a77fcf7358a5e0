import { resourceOf } from "../policy/always.ts";
import { apiVersion } from "../policy/resource/kinds.ts";
import type { ObjectReference } from "../workload/carriers/owner.ts";
import type { Notice } from "./ports.ts";

/** Event about a workload that is stored and does not meet a policy. */
export interface NoncomplianceEvent {
  readonly reason: "SkillNotCompliant";
  readonly namespace: string;
  readonly regarding: ObjectReference;
  readonly related: ObjectReference;
  /** Equal for repetitions. */
  readonly cause: string;
  readonly note: () => string;
}

/** Limit of a note in events.k8s.io/v1, bytes. */
const maxNote = 1024;

export const noncomplianceEvent = ({
  workload,
  namespace,
  policy,
  key,
  text,
}: Notice): NoncomplianceEvent => ({
  reason: "SkillNotCompliant",
  namespace,
  regarding: workload,
  related: { apiVersion, ...resourceOf(policy) },
  cause: key,
  note: () => text(maxNote),
});
