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
 * The skills of a pod that would be other ones after the change: what stays as it is, is not this review's matter. A part
 * that is missing before and after is no proof of that: it counts with whatever changes beside it.
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

/** Are there bytes of the object that the reference does not show, because they break a rule or a limit. */
const mayHide = ({ content, sources }: SkillReference, { name }: VolumeObjectRef): boolean =>
  content.state === "unavailable" &&
  (content.code === "SOURCE_MALFORMED" || content.code === "LIMIT_EXCEEDED") &&
  sources.some((source) => source.name === name);

/** Two references with one fingerprint bring in the same, as far as it is known. */
export function fingerprint({ path, containers, content, sources }: SkillReference): string {
  const bytes =
    content.state === "resolved" ? treeDigest(content.skill) : `${content.state}: ${content.detail}`;
  return JSON.stringify([path, containers, bytes, sources]);
}
