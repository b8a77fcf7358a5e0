import {
  effectivePolicies,
  evaluate,
  skillsOf,
  type EffectivePolicies,
  type ReviewContext,
} from "../evaluation/evaluate.ts";
import { readOnce } from "../evaluation/source-overlay.ts";
import type { KubernetesObject } from "../kubernetes/object.ts";
import type { SkillReference } from "../skill/reference.ts";
import { podOf } from "../workload/carriers/pod-of.ts";
import { sameSkillInputs } from "../workload/carriers/unchanged.ts";
import type { PodSubject } from "../workload/pod/pod-subject.ts";
import type { AdmissionRequest } from "./admission-request.ts";
import { fingerprint } from "./changed-skills.ts";
import { bypass, decide } from "./decide.ts";
import type { Decision } from "./decision.ts";

/** Reviews a pod, or an object that makes pods. */
export async function reviewPod(
  request: AdmissionRequest,
  object: KubernetesObject,
  context: ReviewContext,
): Promise<Decision> {
  const pod = podOf(object, request.subject.namespace);
  if (pod === undefined) return bypass(request, "not-a-carrier");
  if (request.oldObject !== undefined && sameSkillInputs(request.oldObject, object)) {
    return bypass(request, "unchanged");
  }
  const effective = await effectivePolicies(pod.namespace, context);
  if (effective.policies.length === 0) return bypass(request, "ungoverned");
  // Before anything is read: what changes from now on is reviewed as a change under this pod.
  const forget = pod.isPod ? expectNewPod(request, object, context) : undefined;
  let admitted = false;
  try {
    const references = await skillsBroughtIn(request, pod, effective, context);
    const decision =
      references.length === 0
        ? bypass(request, "no-skills")
        : decide(request, await evaluate(references, effective, pod, context));
    admitted = decision.outcome !== "deny";
    return decision;
  } finally {
    if (!admitted) forget?.();
  }
}

const expectNewPod = (
  { subject }: AdmissionRequest,
  object: KubernetesObject,
  { deps }: ReviewContext,
): (() => void) | undefined =>
  subject.operation === "CREATE" && !subject.dryRun
    ? deps.cluster.expectPod?.(object, subject.namespace)
    : undefined;

/**
 * The skills that a request brings in. A debugging container is added to a pod that runs: of that pod's skills only
 * those are judged that are other ones with it, or that it sees itself. The rest is as it was, and debugging a pod must
 * stay possible when its skill is broken.
 */
async function skillsBroughtIn(
  { subject, oldObject }: AdmissionRequest,
  pod: PodSubject,
  { policies }: EffectivePolicies,
  context: ReviewContext,
): Promise<readonly SkillReference[]> {
  const before = oldObject === undefined ? undefined : podOf(oldObject, pod.namespace);
  if (subject.resource !== "pods/ephemeralcontainers" || before === undefined) {
    return skillsOf(pod, policies, context);
  }
  const source = readOnce(context.deps.source);
  const once = { ...context, deps: { ...context.deps, source } };
  const known = new Set((await skillsOf(before, policies, once)).map(fingerprint));
  return (await skillsOf(pod, policies, once)).filter((skill) => !known.has(fingerprint(skill)));
}
