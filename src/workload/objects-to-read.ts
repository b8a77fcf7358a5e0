import { SourceError } from "../skill/source-error.ts";
import type { VolumeObjectRef } from "../skill/source.ts";
import { ancestorsOf } from "./container-path.ts";
import { podLimits } from "./fields.ts";
import { readPodSpec, type Container, type Mount } from "./pod-spec.ts";
import type { PodSubject } from "./pod-subject.ts";
import { isMarkdown } from "./skill-frontmatter.ts";
import { skillRoots, type SkillRoots } from "./skill-roots.ts";
import type { Volume, VolumePart } from "./volume.ts";
import { volumeObjectKey } from "./volume-object-key.ts";

export interface ReadOptions {
  /** Read Secrets too. Off: what they contribute counts as unreadable. */
  readonly readSecrets: boolean;
}

type ObjectPart = Extract<VolumePart, { readonly from: "object" }>;

const isReadable = (part: VolumePart, { readSecrets }: ReadOptions): part is ObjectPart =>
  part.from === "object" && (part.kind === "ConfigMap" || readSecrets);

/**
 * The objects that must be read to decide about a pod; empty for one that cannot hold a skill in what can be read.
 *
 * An object with `items` shows its paths without being read: elsewhere than at skill roots it matters only where one of
 * them can be a skill. Without, its keys decide, so it is read wherever it is mounted.
 *
 * @throws SourceError SOURCE_MALFORMED or LIMIT_EXCEEDED naming the field
 */
export function objectsToRead(
  pod: PodSubject,
  extraRoots: readonly string[],
  options: ReadOptions = { readSecrets: false },
): readonly VolumeObjectRef[] {
  // Most pods have no volume at all; the others are parsed in some microseconds.
  const { volumes } = pod.spec;
  if (volumes === undefined || (Array.isArray(volumes) && volumes.length === 0)) return [];
  const { containers } = readPodSpec(pod);
  const refs = new Map<string, VolumeObjectRef>();
  const done = new Set<Volume>();
  for (const container of containers) {
    let roots: SkillRoots | undefined;
    for (const mount of container.mounts) {
      const { volume } = mount;
      if (done.has(volume)) continue;
      const parts = volume.parts.filter((part) => isReadable(part, options));
      if (parts.length === 0) continue;
      roots ??= skillRoots(extraRoots, container);
      if (!parts.some(canNameSkill) && !isNearSkill(mount, container, roots)) continue;
      done.add(volume);
      for (const { kind, name } of parts) {
        refs.set(volumeObjectKey({ kind, name }), { kind, namespace: pod.namespace, name });
      }
    }
  }
  if (refs.size > podLimits.objects) {
    const fault = `mounts ${refs.size} objects that could hold skills, more than ${podLimits.objects}; mount fewer`;
    throw new SourceError("LIMIT_EXCEEDED", `${pod.field}.volumes ${fault}`);
  }
  return [...refs.values()];
}

/** By its own paths, could the object bring in a skill wherever it is mounted. */
const canNameSkill = ({ items }: ObjectPart): boolean =>
  items === undefined || items.some(({ path }) => isMarkdown(path));

/** By its place: at, above or below a skill root, named like a skill's file, or laid over another mount, which may be one. */
function isNearSkill({ path }: Mount, { mounts }: Container, roots: SkillRoots): boolean {
  if (roots.rootOf(path) !== undefined || roots.isAbove(path) || isMarkdown(path)) return true;
  if (mounts.length === 1) return false;
  const above = new Set(ancestorsOf(path));
  return mounts.some((other) => above.has(other.path));
}
