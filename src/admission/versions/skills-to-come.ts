import { isSettled, type ExpectedChange } from "../../evaluation/cluster-view.ts";
import { rootsOf, type EffectivePolicies, type ReviewContext } from "../../evaluation/evaluate.ts";
import { withObject } from "../../evaluation/source-overlay.ts";
import { decodeVolumeObject } from "../../kubernetes/volume-object.ts";
import type { SkillReference } from "../../skill/reference.ts";
import { objectsToRead } from "../../workload/objects-to-read.ts";
import { objectNames } from "../../workload/pod/mounted-objects.ts";
import { readPodSpec } from "../../workload/pod/pod-spec.ts";
import type { PodSubject } from "../../workload/pod/pod-subject.ts";
import type { ObjectChange } from "../../workload/changes/object-change.ts";
import { changedSkills, fingerprints } from "./changed-skills.ts";
import { tooManyValues } from "../too-many-values.ts";

/** Changes of the pod's objects that were let through and are not known to be stored. */
export const changesToCome = (pod: PodSubject, { deps }: ReviewContext): readonly ExpectedChange[] =>
  deps.cluster.expectedChanges === undefined
    ? []
    : objectNames(pod).flatMap((ref) => deps.cluster.expectedChanges?.(ref) ?? []);

/** Such changes as the pod would read them; those that are stored, or can no longer be, are left out. */
async function versionsToCome(
  pod: PodSubject,
  changes: readonly ExpectedChange[],
  { policies }: EffectivePolicies,
  { deps, signal }: ReviewContext,
): Promise<readonly ObjectChange[]> {
  if (changes.length === 0) return [];
  const requests = objectsToRead(readPodSpec(pod), rootsOf(policies));
  const versions: ObjectChange[] = [];
  for (const change of changes) {
    const { kind, name } = change.ref;
    const request = requests.find((one) => one.kind === kind && one.name === name);
    if (request === undefined) continue;
    const before = await deps.source.read(request, signal);
    if (isSettled(change, before?.identity)) continue;
    if (change.tooLarge === true) throw tooManyValues(`the change of ConfigMap ${name} that is on its way`);
    versions.push({ ref: change.ref, before, after: decodeVolumeObject(change.object, request) });
  }
  return versions;
}

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
  const skills: SkillReference[] = [];
  for (const version of await versionsToCome(pod, changes, effective, context)) {
    const altered = await changedSkills(pod, version, effective, context);
    skills.push(...altered.map((skill) => ({ ...skill, expectedChange: version.ref.name })));
  }
  return skills;
}

/**
 * Finds the skills of a running pod that a change alters, also beside the changes of other objects that are on their way:
 * of two of one moment each may be harmless with what is stored of the other.
 * @throws SourceError if an object with such a change cannot be read
 */
export async function skillsChangedBy(
  change: ObjectChange,
  pod: PodSubject,
  effective: EffectivePolicies,
  context: ReviewContext,
): Promise<readonly SkillReference[]> {
  // Listed before the first read: a change that is stored meanwhile is in the read or in the list.
  const others = changesToCome(pod, context).filter(({ ref }) => ref.name !== change.ref.name);
  const altered = await changedSkills(pod, change, effective, context);
  const versions = await versionsToCome(pod, others, effective, context);
  if (versions.length === 0) return altered;
  const { deps } = context;
  const source = versions.reduce((rest, { ref, after }) => withObject(rest, ref, after), deps.source);
  const beside = { ...context, deps: { ...deps, source } };
  const known = new Set(altered.flatMap(fingerprints));
  const more = (await changedSkills(pod, change, effective, beside)).filter(
    (skill) => !fingerprints(skill).every((one) => known.has(one)),
  );
  const expectedChange = [...new Set(versions.map(({ ref }) => ref.name))].join(", ");
  return [...altered, ...more.map((skill) => ({ ...skill, expectedChange }))];
}
