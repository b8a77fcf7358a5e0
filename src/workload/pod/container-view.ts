import { inDoubt } from "../../skill/reference.ts";
import { SourceError } from "../../skill/source-error.ts";
import { ancestorsOf, componentsOf, parentOf } from "./container-path.ts";
import { podLimits } from "./limits.ts";
import { foldersOnTheWay, type Container, type Mount, type PodSpec } from "./pod-spec.ts";
import { contentsOf } from "./layer-contents.ts";
import type { Layer, Readable, SeenFile, SeenUnreadablePath } from "./layer.ts";
import type { VolumeView } from "./volume-view.ts";

/** A mount whose path leads through a volume that may hold symlinks: it may end up anywhere. */
export interface SymlinkRisk {
  readonly layer: Layer;
  readonly through: Layer;
}

/** All that a container may read in its mounts, by any path and at any time, as far as the pod and its ConfigMaps tell. */
export interface ContainerView extends Readable {
  readonly symlinkRisks: readonly SymlinkRisk[];
}

/** What the pod's containers may still see. */
export interface Budget {
  files: number;
  /** Characters of these files' paths. */
  characters: number;
}

/** @throws SourceError LIMIT_EXCEEDED for more files than a pod may have, or longer paths */
function spend(budget: Budget, seen: readonly (SeenFile | SeenUnreadablePath)[]): void {
  budget.files -= seen.length;
  for (const { path } of seen) budget.characters -= path.length;
  if (budget.files >= 0 && budget.characters >= 0) return;
  const most =
    budget.files < 0
      ? `more than ${podLimits.seenFiles} files of volumes together; mount fewer`
      : `files whose paths have more than ${podLimits.seenPathCharacters} characters together; mount fewer, or at shorter paths`;
  throw new SourceError("LIMIT_EXCEEDED", `the containers see ${most}`);
}

const depthOf = (path: string): number => componentsOf(path).length;

/**
 * Lays a container's mounts over each other. The runtime mounts outer ones first, in whatever order they are listed.
 * Nothing is left out because another mount is believed to hide it.
 * @throws SourceError LIMIT_EXCEEDED for more files than a pod may have
 */
export function viewOf(
  container: Container,
  views: ReadonlyMap<string, VolumeView>,
  pod: PodSpec,
  budget: Budget,
): ContainerView {
  const layers = layersOf(container, pod).sort((a, b) => depthOf(a.path) - depthOf(b.path));
  const byPath = new Map(layers.map((layer) => [layer.path, layer]));
  const around = new Set(layers.flatMap(({ path }) => ancestorsOf(path)).filter((path) => byPath.has(path)));
  const files: SeenFile[] = [];
  const unreadable: SeenUnreadablePath[] = [];
  for (const layer of layers) {
    const isAside = (path: string): boolean =>
      isDoubtful(layer) || (around.has(layer.path) && isCovered(path, layer, byPath));
    for (const content of contentsOf(layer, views, isAside)) {
      spend(budget, content.files);
      spend(budget, content.unreadable);
      for (const file of content.files) files.push(file);
      for (const one of content.unreadable) unreadable.push(one);
    }
  }
  return { files, unreadable, symlinkRisks: symlinkRisksOf(layers, byPath) };
}

/** A file of the kubelet's own is certain to be there. */
const isDoubtful = ({ mount, doubt }: Layer): boolean => mount !== undefined && doubt !== undefined;

/** Whether a path of a layer is at or below another mount. */
function isCovered(path: string, layer: Layer, byPath: ReadonlyMap<string, Layer>): boolean {
  let at: string | undefined = path;
  for (; at !== undefined && at !== layer.path; at = parentOf(at)) if (byPath.has(at)) return true;
  return false;
}

function layersOf(container: Container, pod: PodSpec): Layer[] {
  const { mounts, kubeletFiles } = container;
  const byPath = Map.groupBy(mounts, ({ path }) => path);
  const around = new Set(mounts.flatMap(({ path }) => ancestorsOf(path)));
  const layers = mounts.map((mount): Layer => {
    const { path } = mount;
    const isClash = kubeletFiles.has(path) || byPath.get(path)?.length !== 1;
    const clash = `two things are mounted at ${path}, and the runtime chooses which is seen; keep one`;
    const fault = isClash ? clash : (mount.fault ?? unsteady(mount, container, byPath, around));
    if (fault === undefined) return { path, mount };
    const { kind, name } = mount.volume;
    const use = { kind, name, writable: pod.writable.has(name) };
    const state = inDoubt(kind, fault);
    return { path, mount, doubt: { use, state, isFile: false, severity: "unreadable" } };
  });
  for (const [path, { field, device }] of kubeletFiles) {
    const use = { kind: "Other", name: field, writable: true } as const;
    const what = device === undefined ? "a file of the kubelet's own" : "a device";
    const state = inDoubt("Other", `${field} puts ${what} here; name a path outside of skills there`);
    layers.push({ path, doubt: { use, state, isFile: true, severity: "unreadable" } });
  }
  return layers;
}

/**
 * The fault of a mount that need not stay where it is. Of relative paths the runtime does not know which lies inside of
 * which. Inside a volume that the kubelet writes, it makes the folder for a mount beforehand, except for relative paths
 * and ephemeral containers. The mount then lands behind the volume's links and comes off with the volume's next update:
 * the files below become visible.
 */
function unsteady(
  mount: Mount,
  container: Container,
  byPath: ReadonlyMap<string, readonly Mount[]>,
  around: ReadonlySet<string>,
): string | undefined {
  const [outer] = byPath.get(ancestorsOf(mount.path).find((path) => byPath.has(path)) ?? "") ?? [];
  const isRelative = [outer, mount].some((one) => one?.spelling.startsWith("/") === false);
  if (isRelative && (outer !== undefined || around.has(mount.path)))
    return `it is mounted inside or around another mount by a relative path, so that either may cover the other; write both paths from the root`;
  if (!container.ephemeral || outer?.volume.atomic !== true || outer.subPath !== "") return undefined;
  return `it is mounted inside the volume ${JSON.stringify(outer.volume.name)}, whose next update takes it off again; mount it elsewhere`;
}

/**
 * Finds mounts that symlinks can redirect: the runtime follows links on the way to a mount's path. Volumes that the
 * kubelet writes hold only its own links; in others anybody may have put one that leads onto a file of a skill.
 */
function symlinkRisksOf(
  layers: readonly Layer[],
  byPath: ReadonlyMap<string, Layer>,
): readonly SymlinkRisk[] {
  const symlinkRisks: SymlinkRisk[] = [];
  for (const layer of layers) {
    const through = ancestorsOf(layer.path)
      .map((path) => byPath.get(path))
      .find((outer) => outer?.mount?.volume.atomic === false);
    // `..` after a link leads elsewhere than the path says, in the kubelet's own volumes too.
    const wayBack = layer.mount === undefined ? [] : foldersOnTheWay(layer.mount);
    const over =
      through ?? wayBack.map((path) => nearestLayer(path, byPath)).find((outer) => outer !== undefined);
    if (over !== undefined) symlinkRisks.push({ layer, through: over });
  }
  return symlinkRisks;
}

function nearestLayer(path: string, byPath: ReadonlyMap<string, Layer>): Layer | undefined {
  return [path, ...ancestorsOf(path)].map((at) => byPath.get(at)).find((layer) => layer !== undefined);
}
