import { ancestorsOf } from "./container-path.ts";
import type { PodSpec } from "./pod-spec.ts";
import { viewOfVolume, type ReadObjects, type VolumeView } from "./volume-view.ts";

/** Views of a pod's mounted volumes, by volume name. */
export function podVolumeViews(spec: PodSpec, objects: ReadObjects): ReadonlyMap<string, VolumeView> {
  const madeFolders = madeFoldersOf(spec);
  const mounts = Map.groupBy(
    spec.containers.flatMap((container) => container.mounts),
    ({ volume }) => volume,
  );
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
