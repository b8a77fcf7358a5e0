import { volumeObjectKey } from "../kubernetes/volume-object.ts";
import { baseName } from "../skill/path.ts";
import type { SkillReference } from "../skill/reference.ts";
import type { SkillFile } from "../skill/skill.ts";
import { SourceError } from "../skill/source-error.ts";
import { memoizeByObject } from "../text/memoize-by-object.ts";
import { joinPath } from "./pod/container-path.ts";
import type { Container, Mount } from "./pod/pod-spec.ts";
import { within } from "./pod/sub-path.ts";
import type { Volume } from "./pod/volume.ts";
import type { ReadObjects } from "./pod/volume-view.ts";

type Paths = ReadonlyMap<SkillFile, ReadonlySet<string>>;

/** The paths at which each file is judged as a part of a skill, by container. */
function verifiedPaths(skills: readonly SkillReference[]): ReadonlyMap<string, Paths> {
  const byContainer = new Map<string, Map<SkillFile, Set<string>>>();
  for (const { path, containers, content } of skills) {
    if (content.state !== "resolved") continue;
    for (const container of containers) {
      const paths = byContainer.get(container) ?? new Map<SkillFile, Set<string>>();
      byContainer.set(container, paths);
      for (const [inside, file] of content.skill.files) {
        const at = paths.get(file) ?? new Set();
        paths.set(file, at.add(joinPath(path, inside)));
        // A single file in a skill root is a skill by itself.
        if (content.skill.files.size === 1 && inside === baseName(path)) at.add(path);
      }
    }
  }
  return byContainer;
}

/** Whether a mount of a container shows files, and each is judged as a part of a skill at its path there. */
export function verifiedMounts(
  skills: readonly SkillReference[],
  objects: ReadObjects,
): (mount: Mount, container: Container) => boolean {
  const paths = verifiedPaths(skills);
  const files = memoizeByObject((volume: Volume) => filesOf(volume, objects));
  return ({ volume, path, subPath, fault }, { name }) => {
    const verified = paths.get(name);
    if (verified === undefined || fault !== undefined || subPath === undefined) return false;
    const known = files(volume);
    if (known === undefined) return false;
    const shown = within(known, subPath);
    return (
      shown.length > 0 &&
      shown.every(([inside, file]) => {
        const relative = inside === subPath ? "" : inside.slice(subPath === "" ? 0 : subPath.length + 1);
        const at = verified.get(file);
        // Covered by another mount, it is judged below the kubelet's link.
        return [joinPath(path, relative), joinPath(`${path}/..data`, relative)].some((one) => at?.has(one));
      })
    );
  };
}

/** The files of a volume; undefined if not all are known. */
function filesOf({ parts }: Volume, objects: ReadObjects): ReadonlyMap<string, SkillFile> | undefined {
  const files = new Map<string, SkillFile>();
  for (const part of parts) {
    if (part.from !== "object") return undefined;
    const object = objects.get(volumeObjectKey(part));
    if (object === undefined && part.optional && objects.has(volumeObjectKey(part))) continue;
    if (object === undefined || object instanceof SourceError) return undefined;
    if (part.items === undefined) for (const [key, file] of object.files) files.set(key, file);
    for (const { key, path } of part.items ?? []) {
      const file = object.files.get(key);
      if (file !== undefined) files.set(path, file);
      else if (!part.optional) return undefined;
    }
  }
  return files;
}
