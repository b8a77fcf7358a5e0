import type { SkillReference } from "../skill/reference.ts";
import { treeDigest } from "../skill/skill.ts";
import type { VolumeObject, VolumeObjectRef } from "../skill/source.ts";
import type { PodSubject } from "../workload/pod/pod-subject.ts";
import { skillsOf, type EffectivePolicies, type ReviewContext } from "../evaluation/evaluate.ts";
import { readOnce, withObject } from "../evaluation/source-overlay.ts";

export interface ObjectChange {
  readonly ref: VolumeObjectRef;
  readonly before: VolumeObject | undefined;
  readonly after: VolumeObject;
}

/**
 * Finds the skills of a pod that a change to one object alters; the others are not under review. An unavailable skill
 * counts as changed if its place, a container's path, holds a changed one: unavailable before and after does not prove
 * it equal.
 */
export async function changedSkills(
  pod: PodSubject,
  change: ObjectChange,
  { policies }: EffectivePolicies,
  context: ReviewContext,
): Promise<readonly SkillReference[]> {
  const others = readOnce(context.deps.source);
  const seenWith = async (version: VolumeObject | undefined): Promise<readonly SkillReference[]> =>
    skillsOf(pod, policies, {
      ...context,
      deps: { ...context.deps, source: withObject(others, change.ref, version) },
    });
  const before = new Set((await seenWith(change.before)).map(fingerprint));
  const after = await seenWith(change.after);
  const changed = new Set(
    after.filter((skill) => !before.has(fingerprint(skill)) || mayHide(skill, change.ref)),
  );
  const places = new Set([...changed].flatMap(placesOf));
  return after
    .filter(
      (skill) =>
        changed.has(skill) ||
        (skill.content.state === "unavailable" && placesOf(skill).some((place) => places.has(place))),
    )
    .map((skill) => ({ ...skill, mountedBy: `${pod.namespace}/${pod.name}` }));
}

const placesOf = ({ path, containers }: SkillReference): readonly string[] =>
  containers.map((container) => JSON.stringify([container, path]));

/** Whether the reference hides bytes of the object, because these break a rule or exceed a limit. */
const mayHide = ({ content, sources }: SkillReference, { name }: VolumeObjectRef): boolean =>
  content.state === "unavailable" &&
  (content.code === "SOURCE_MALFORMED" || content.code === "LIMIT_EXCEEDED") &&
  sources.some((source) => source.name === name);

/** Identifies the content of a reference: equal fingerprints mean equal skills, as far as these could be read. */
export function fingerprint({ path, containers, content, sources }: SkillReference): string {
  const bytes =
    content.state === "resolved" ? treeDigest(content.skill) : `${content.state}: ${content.detail}`;
  return JSON.stringify([path, containers, bytes, sources]);
}
