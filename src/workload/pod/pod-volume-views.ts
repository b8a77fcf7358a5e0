import { volumeObjectKey } from "../../kubernetes/volume-object.ts";
import { SourceError } from "../../skill/source-error.ts";
import { ancestorsOf } from "./container-path.ts";
import { podLimits } from "./limits.ts";
import type { PodSpec } from "./pod-spec.ts";
import type { Volume, VolumePart } from "./volume.ts";
import { viewOfVolume, type ReadObjects, type VolumeView } from "./volume-view.ts";

/** Views of a pod's mounted volumes, by volume name. */
export function podVolumeViews(spec: PodSpec, objects: ReadObjects): ReadonlyMap<string, VolumeView> {
  const madeFolders = madeFoldersOf(spec);
  const mounts = Map.groupBy(
    spec.containers.flatMap((container) => container.mounts),
    ({ volume }) => volume,
  );
  assertAffordable(mounts.keys(), objects);
  const views = new Map<string, VolumeView>();
  for (const [volume, some] of mounts) {
    const setting = {
      namespace: spec.namespace,
      objects,
      writable: spec.writable.has(volume.name),
      subPaths: [...new Set(some.flatMap(({ subPath }) => subPath ?? []))],
      madeFolders: madeFolders.get(volume.name) ?? none,
    };
    views.set(volume.name, viewOfVolume(volume, setting));
  }
  return views;
}

/** A pod of 60 KB can name one object of 10,000 keys in thousands of sources. */
function assertAffordable(volumes: Iterable<Volume>, objects: ReadObjects): void {
  let files = 0;
  for (const { parts } of volumes) for (const part of parts) files += filesOf(part, objects);
  if (files <= podLimits.laidOutFiles) return;
  throw new SourceError(
    "LIMIT_EXCEEDED",
    `the volumes hold more than ${podLimits.laidOutFiles} files together; mount fewer, or only the keys that are needed`,
  );
}

function filesOf(part: VolumePart, objects: ReadObjects): number {
  if (part.from === "unreadable") return part.paths?.length ?? 1;
  if (part.items !== undefined) return part.items.length;
  const object = objects.get(volumeObjectKey(part));
  return object === undefined || object instanceof SourceError ? 1 : object.files.size;
}

const none: ReadonlySet<string> = new Set();

/**
 * The first names below each volume under which the same container mounts something. The kubelet makes folders for
 * these before it writes the files, and keeps the folders, for every container (kubelet, MakeNestedMountpoints).
 */
function madeFoldersOf({ containers }: PodSpec): ReadonlyMap<string, ReadonlySet<string>> {
  const made = new Map<string, Set<string>>();
  for (const { mounts, ephemeral } of containers) {
    if (ephemeral || mounts.length < 2) continue;
    const byPath = Map.groupBy(mounts, ({ path }) => path);
    for (const path of byPath.keys()) {
      for (const above of ancestorsOf(path)) {
        for (const { volume } of byPath.get(above) ?? []) {
          const [first = ""] = path.slice(above === "/" ? 1 : above.length + 1).split("/");
          made.set(volume.name, (made.get(volume.name) ?? new Set()).add(first));
        }
      }
    }
  }
  return made;
}
