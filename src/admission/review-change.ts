import { effectivePolicies, evaluate, rootsOf, type ReviewContext } from "../evaluation/evaluate.ts";
import { yieldToEventLoop } from "../evaluation/yield-to-event-loop.ts";
import type { KubernetesObject } from "../kubernetes/object.ts";
import { decodeVolumeObject } from "../kubernetes/volume-object.ts";
import type { SkillReference } from "../skill/reference.ts";
import { SourceError } from "../skill/source-error.ts";
import type { VolumeObject, VolumeObjectRef, VolumeObjectRequest } from "../skill/source.ts";
import { distinctPods } from "../workload/distinct-pods.ts";
import { joinedRequest, objectsToRead } from "../workload/objects-to-read.ts";
import { readPodSpec } from "../workload/pod/pod-spec.ts";
import type { PodSubject } from "../workload/pod/pod-subject.ts";
import type { AdmissionRequest } from "./admission-request.ts";
import { changedSkills } from "./changed-skills.ts";
import { bypass, decide } from "./decide.ts";
import type { Decision } from "./decision.ts";

/** Reviews a change to a ConfigMap by the running pods that mount it: each is judged with the new content. */
export async function reviewChange(
  request: AdmissionRequest,
  object: KubernetesObject,
  context: ReviewContext,
): Promise<Decision> {
  const ref: VolumeObjectRef = {
    kind: "ConfigMap",
    namespace: request.subject.namespace,
    name: request.subject.name,
  };
  const pods = context.deps.cluster.podsUsing(ref);
  if (pods.length === 0) return bypass(request, "unused");
  const effective = await effectivePolicies(ref.namespace, context);
  if (effective.policies.length === 0) return bypass(request, "ungoverned");
  const distinct = distinctPods(pods);
  const asked = await askedOf(ref, distinct, rootsOf(effective.policies), context.signal);
  if (asked === undefined) return bypass(request, "no-skills");
  const before = request.oldObject === undefined ? undefined : readBefore(request.oldObject, asked);
  const after = decodeVolumeObject(object, asked);
  if (before !== undefined && isSameObject(before, after)) return bypass(request, "unchanged");
  const changed: SkillReference[] = [];
  for (const pod of distinct) {
    changed.push(...(await changedSkills(pod, { ref, before, after }, effective, context)));
    await yieldToEventLoop(context.signal);
  }
  if (changed.length === 0) return bypass(request, "no-skills");
  return decide(request, await evaluate(changed, effective, { isPod: true }, context));
}

/** Decodes the version before the change; an unreadable one counts as absent: all that comes out is judged, and a repair passes. */
function readBefore(object: KubernetesObject, asked: VolumeObjectRequest): VolumeObject | undefined {
  try {
    return decodeVolumeObject(object, asked);
  } catch (error) {
    if (error instanceof SourceError) return undefined;
    throw error;
  }
}

/**
 * Merges what the pods read of the object into one request; undefined if none reads it.
 * @throws SourceError TIMEOUT
 */
async function askedOf(
  ref: VolumeObjectRef,
  pods: readonly PodSubject[],
  roots: readonly string[],
  signal: AbortSignal,
): Promise<VolumeObjectRequest | undefined> {
  let asked: VolumeObjectRequest | undefined;
  for (const pod of pods) {
    const requests = objectsToRead(readPodSpec(pod), roots);
    const own = requests.filter(({ kind, name }) => kind === ref.kind && name === ref.name);
    asked = own.reduce(joinedRequest, asked);
    await yieldToEventLoop(signal);
  }
  return asked;
}

/** Whether the mounted content is unchanged: changes to labels, annotations or finalizers do not reach pods. */
const isSameObject = (before: VolumeObject, after: VolumeObject): boolean =>
  before.immutable === after.immutable &&
  before.files.size === after.files.size &&
  after.files.entries().every(([key, { bytes }]) => {
    const other = before.files.get(key)?.bytes;
    return other !== undefined && Buffer.compare(bytes, other) === 0;
  });
