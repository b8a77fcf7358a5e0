import {
  effectivePolicies,
  rootsOf,
  type EffectivePolicies,
  type ReviewContext,
} from "../evaluation/evaluate.ts";
import { yieldToEventLoop } from "../evaluation/yield-to-event-loop.ts";
import type { VolumeObjectRef } from "../skill/source.ts";
import { distinctPods } from "../workload/distinct-pods.ts";
import { objectsToRead } from "../workload/objects-to-read.ts";
import { readPodSpec } from "../workload/pod/pod-spec.ts";
import type { PodSubject } from "../workload/pod/pod-subject.ts";
import type { AdmissionRequest } from "./admission-request.ts";
import { bypass } from "./decide.ts";
import type { Bypass, Decision } from "./decision.ts";
import { expectChange } from "./review-change.ts";
import { tooManyValues } from "./too-many-values.ts";

/**
 * Reviews an object that has too many values to be read. What cannot bring in a skill goes through all the same: objects
 * that no policy governs, and ConfigMaps that no running pod reads a skill from.
 * @throws SourceError LIMIT_EXCEEDED for every other
 */
export async function reviewTooLarge(request: AdmissionRequest, context: ReviewContext): Promise<Decision> {
  const { kind, namespace, name } = request.subject;
  const effective = await effectivePolicies(namespace, context);
  if (effective.policies.length === 0) return bypass(request, "ungoverned");
  if (request.resource === "configmaps") {
    if (request.tooLarge?.sameData === true) return bypass(request, "unchanged");
    const reason = await harmless(request, effective, context);
    if (reason !== undefined) return bypass(request, reason);
  }
  throw tooManyValues(`${kind} ${namespace}/${name}`);
}

/** The reason why a ConfigMap brings no running pod a skill; a pod that comes while it is stored is told of it. */
async function harmless(
  request: AdmissionRequest,
  effective: EffectivePolicies,
  context: ReviewContext,
): Promise<Bypass | undefined> {
  const { namespace, name } = request.subject;
  const ref: VolumeObjectRef = { kind: "ConfigMap", namespace, name };
  const object = { apiVersion: "v1", kind: "ConfigMap", metadata: { namespace, name } };
  const change = { ref, object, tooLarge: true, replaces: undefined } as const;
  const forget = await expectChange(request, change, effective, context);
  let reason: Bypass | undefined;
  try {
    const pods = context.deps.cluster.podsUsing(ref);
    if (pods.length === 0) reason = "unused";
    else if (!(await isReadBy(pods, ref, effective, context))) reason = "no-skills";
    return reason;
  } finally {
    if (reason === undefined) forget?.();
  }
}

async function isReadBy(
  pods: readonly PodSubject[],
  ref: VolumeObjectRef,
  { policies }: EffectivePolicies,
  { signal }: ReviewContext,
): Promise<boolean> {
  const distinct = await distinctPods(
    pods,
    () => "",
    () => yieldToEventLoop(signal),
  );
  for (const pod of distinct) {
    const asked = objectsToRead(readPodSpec(pod), rootsOf(policies));
    if (asked.some(({ kind, name }) => kind === ref.kind && name === ref.name)) return true;
    await yieldToEventLoop(signal);
  }
  return false;
}
