import type { SkillReference } from "../skill/reference.ts";
import { treeDigest } from "../skill/skill.ts";
import type { SkillSource, VolumeObject, VolumeObjectRef } from "../skill/source.ts";
import type { PodSubject } from "../workload/pod/pod-subject.ts";
import { volumeObjectKey } from "../kubernetes/volume-object.ts";
import { skillsOf, type EffectivePolicies, type ReviewContext } from "../evaluation/evaluate.ts";

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

/**
 * The same source, but each object is read once: with and without the change, a pod must be seen among the same other
 * objects.
 */
export function readOnce(source: SkillSource): SkillSource {
  const reads = new Map<string, Promise<VolumeObject | undefined>>();
  return {
    read: (request, signal) => {
      const key = JSON.stringify([
        volumeObjectKey(request),
        request.keys === undefined ? "all" : [...request.keys],
      ]);
      const read = reads.get(key) ?? source.read(request, signal);
      reads.set(key, read);
      return read;
    },
  };
}

/** The same source, but with one object as the review says it will be. */
const withObject = (
  source: SkillSource,
  changed: VolumeObjectRef,
  version: VolumeObject | undefined,
): SkillSource => ({
  read: (ref, signal) =>
    ref.kind === changed.kind && ref.namespace === changed.namespace && ref.name === changed.name
      ? Promise.resolve(version)
      : source.read(ref, signal),
});
