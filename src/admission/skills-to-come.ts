import { isSettled, type ExpectedChange } from "../evaluation/cluster-view.ts";
import { rootsOf, type EffectivePolicies, type ReviewContext } from "../evaluation/evaluate.ts";
import { decodeVolumeObject } from "../kubernetes/volume-object.ts";
import type { SkillReference } from "../skill/reference.ts";
import { objectsToRead } from "../workload/objects-to-read.ts";
import { objectNames } from "../workload/pod/mounted-objects.ts";
import { readPodSpec } from "../workload/pod/pod-spec.ts";
import type { PodSubject } from "../workload/pod/pod-subject.ts";
import { changedSkills } from "./changed-skills.ts";
import { tooManyValues } from "./too-many-values.ts";

/** Changes of the pod's objects that were let through and are not known to be stored. */
export const changesToCome = (pod: PodSubject, { deps }: ReviewContext): readonly ExpectedChange[] =>
  deps.cluster.expectedChanges === undefined
    ? []
    : objectNames(pod).flatMap((ref) => deps.cluster.expectedChanges?.(ref) ?? []);

/**
 * Finds the skills of a pod that such a change would alter, as they would be then: the kubelet reads the objects after
 * the pod is admitted.
 * @param context reads each object once, the same for the skills as they are now
 * @throws SourceError if a changed object cannot be read
 */
export async function skillsToCome(
  pod: PodSubject,
  changes: readonly ExpectedChange[],
  effective: EffectivePolicies,
  context: ReviewContext,
): Promise<readonly SkillReference[]> {
  if (changes.length === 0) return [];
  const requests = objectsToRead(readPodSpec(pod), rootsOf(effective.policies));
  const skills: SkillReference[] = [];
  for (const change of changes) {
    const { kind, name } = change.ref;
    const request = requests.find((one) => one.kind === kind && one.name === name);
    if (request === undefined) continue;
    const before = await context.deps.source.read(request, context.signal);
    if (isSettled(change, before?.identity)) continue;
    if (change.tooLarge === true) throw tooManyValues(`the change of ConfigMap ${name} that is on its way`);
    const after = decodeVolumeObject(change.object, request);
    const altered = await changedSkills(pod, { ref: change.ref, before, after }, effective, context);
    skills.push(...altered.map((skill) => ({ ...skill, expectedChange: name })));
  }
  return skills;
}
