import { rootsOf, type EffectivePolicies, type ReviewContext } from "../../evaluation/evaluate.ts";
import type { SkillReference } from "../../skill/reference.ts";
import type { VolumeObjectRef } from "../../skill/source.ts";
import { configMapsInRoots, type PlaceInRoot } from "../../workload/objects-to-read.ts";
import { readPodSpec } from "../../workload/pod/pod-spec.ts";
import type { PodSubject } from "../../workload/pod/pod-subject.ts";

/** Names of the pods for which nodes keep the object if it is immutable, those included that are about to be stored. */
export function holdersOf(ref: VolumeObjectRef, { deps: { cluster } }: ReviewContext): readonly string[] {
  const using = cluster.podsUsing(ref).map(({ name }) => name);
  return [...new Set([...using, ...(cluster.holders?.(ref).names() ?? [])])];
}

/** Whether files of a ConfigMap are among those of a skill. */
export const comesFrom = (
  { content, sources }: SkillReference,
  { name }: Pick<VolumeObjectRef, "name">,
): boolean =>
  content.state !== "fault" &&
  sources.some(
    (source) => source.name === name && (source.kind === "ConfigMap" || source.kind === "Projected"),
  );

/** The first names, and how many more there are. */
export const listed = (names: readonly string[]): string =>
  names.length > 4 ? `${names.slice(0, 3).join(", ")} and ${names.length - 3} more` : names.join(", ");

/** A mount of a pod at which an object is a skill, or a part of one, whatever it holds. */
export const placeInRoot = (
  { name }: Pick<VolumeObjectRef, "name">,
  pod: PodSubject,
  { policies }: EffectivePolicies,
): PlaceInRoot | undefined => configMapsInRoots(readPodSpec(pod), rootsOf(policies)).get(name);
