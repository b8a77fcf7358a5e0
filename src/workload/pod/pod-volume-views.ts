import { ancestorsOf } from "./container-path.ts";
import type { PodSpec } from "./pod-spec.ts";
import { firstOf, viewOfVolume, type ReadObjects, type VolumeView } from "./volume-view.ts";

type Views = ReadonlyMap<string, VolumeView>;

/** Views of a pod's mounted volumes, by volume name, in two readings: the files of both are judged. */
export interface PodVolumeViews {
  /** Every file of a volume, as it is visible below `..data`, and at mounts that the kubelet does not treat as nested. */
  readonly whole: Views;
  /** The volume as the kubelet writes it, with an empty folder at each name below which the pod mounts another volume. */
  readonly laidOut: Views;
  /** Names of the volumes in which the two differ. */
  readonly hidden: ReadonlySet<string>;
}

export function podVolumeViews(spec: PodSpec, objects: ReadObjects): PodVolumeViews {
  const covered = coveredNames(spec);
  const subPaths = Map.groupBy(
    spec.containers.flatMap(({ mounts }) => mounts),
    ({ volume }) => volume.name,
  );
  const whole = new Map<string, VolumeView>();
  const laidOut = new Map<string, VolumeView>();
  const hidden = new Set<string>();
  for (const [name, mounts] of subPaths) {
    const volume = spec.volumes.get(name);
    if (volume === undefined) continue;
    const setting = {
      namespace: spec.namespace,
      objects,
      writable: spec.writable.has(name),
      subPaths: [...new Set(mounts.map(({ subPath }) => subPath))],
    };
    const view = viewOfVolume(volume, setting);
    const shown = without(view, covered.get(name));
    whole.set(name, view);
    laidOut.set(name, shown);
    if (shown !== view) hidden.add(name);
  }
  return { whole, laidOut, hidden };
}

/**
 * The first names below each volume under which the same container mounts something. The kubelet makes folders for
 * these before it writes the files, and keeps the folders, for every container (kubelet, MakeNestedMountpoints).
 */
function coveredNames({ containers }: PodSpec): ReadonlyMap<string, ReadonlySet<string>> {
  const covered = new Map<string, Set<string>>();
  for (const { mounts, ephemeral } of containers) {
    if (ephemeral || mounts.length < 2) continue;
    const byPath = Map.groupBy(mounts, ({ path }) => path);
    for (const path of byPath.keys()) {
      for (const above of ancestorsOf(path)) {
        for (const { volume } of byPath.get(above) ?? []) {
          const [first = ""] = path.slice(above === "/" ? 1 : above.length + 1).split("/");
          covered.set(volume.name, (covered.get(volume.name) ?? new Set()).add(first));
        }
      }
    }
  }
  return covered;
}

/** The view without these names; the same object if none occurs. */
function without(view: VolumeView, names: ReadonlySet<string> = new Set()): VolumeView {
  if (names.size === 0) return view;
  const isCovered = (path: string): boolean => names.has(firstOf(path));
  if (!view.files.keys().some(isCovered) && !view.unreadable.keys().some(isCovered)) return view;
  const rest = <T>(map: ReadonlyMap<string, T>): ReadonlyMap<string, T> =>
    new Map(map.entries().filter(([path]) => !isCovered(path)));
  return { files: rest(view.files), unreadable: rest(view.unreadable), whole: view.whole };
}
