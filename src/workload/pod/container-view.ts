import { declaresSkill } from "../../skill/declares-skill.ts";
import { isMarkdown, isSkillFile } from "../../skill/skill-file.ts";
import { SourceError } from "../../skill/source-error.ts";
import { memoizeByObject } from "../../text/memoize-by-object.ts";
import { ancestorsOf, componentsOf, joinPath, parentOf } from "./container-path.ts";
import { podLimits } from "./limits.ts";
import { foldersOnTheWay, type Container, type Mount, type PodSpec } from "./pod-spec.ts";
import { within } from "./sub-path.ts";
import type { UnreadablePath, VolumeFile, VolumeView } from "./volume-view.ts";

/** One mount: a volume, or a file of the kubelet's own. */
export interface Layer {
  /** Absolute and clean. */
  readonly path: string;
  /** Absent for a file of the kubelet's own. */
  readonly mount?: Mount;
  /** Set if its bytes are not known. */
  readonly fault?: UnreadablePath;
}

export interface SeenFile extends VolumeFile {
  readonly path: string;
  readonly layer: Layer;
}

export interface SeenUnreadablePath extends UnreadablePath {
  readonly path: string;
  readonly layer: Layer;
}

/** A mount whose path leads through a volume that may hold symlinks: it may end up anywhere. */
export interface SymlinkRisk {
  readonly layer: Layer;
  readonly through: Layer;
}

/** The content of mounts, outermost first. */
export interface Readable {
  readonly files: readonly SeenFile[];
  readonly unreadable: readonly SeenUnreadablePath[];
}

/** All content of a volume that other mounts cover in part: it can be read elsewhere than at the mount's path. */
export interface Behind extends Readable {
  readonly layer: Layer;
  /** Its covered files and unreadable paths. */
  readonly covered: ReadonlySet<SeenFile | SeenUnreadablePath>;
}

/** The files that a container sees in its mounts, as far as the pod and its ConfigMaps tell. */
export interface ContainerView extends Readable {
  readonly symlinkRisks: readonly SymlinkRisk[];
  readonly behind: readonly Behind[];
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
 * Lays a container's mounts over each other. The runtime mounts outer ones first, in whatever order they are listed:
 * a file is visible unless another mount lies between it and its own.
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
  const covering = new Set(
    layers.flatMap(({ path }) => ancestorsOf(path)).filter((path) => byPath.has(path)),
  );
  const files: SeenFile[] = [];
  const unreadable: SeenUnreadablePath[] = [];
  const behind: Behind[] = [];
  for (const layer of layers) {
    const content = contentOf(layer, views);
    spend(budget, content.files);
    spend(budget, content.unreadable);
    const covered = covering.has(layer.path) ? coveredIn(content, layer, byPath) : nothing;
    for (const file of content.files) if (!covered.has(file)) files.push(file);
    for (const one of content.unreadable) if (!covered.has(one)) unreadable.push(one);
    if (covered.size > 0) behind.push({ ...content, layer, covered });
  }
  return { files, unreadable, symlinkRisks: symlinkRisksOf(layers, byPath), behind };
}

const nothing: Behind["covered"] = new Set();

/** The content of a layer at or below another mount. */
function coveredIn(
  { files, unreadable }: Readable,
  layer: Layer,
  byPath: ReadonlyMap<string, Layer>,
): Behind["covered"] {
  const isCovered = ({ path }: SeenFile | SeenUnreadablePath): boolean => {
    let at: string | undefined = path;
    for (; at !== undefined && at !== layer.path; at = parentOf(at)) if (byPath.has(at)) return true;
    return false;
  };
  return new Set([...files.filter(isCovered), ...unreadable.filter(isCovered)]);
}

function layersOf(container: Container, pod: PodSpec): Layer[] {
  const layers = new Map<string, Layer>();
  const beneath: Layer[] = [];
  const clash = (path: string): string | undefined => {
    const other = layers.get(path)?.mount;
    if (other === undefined) return undefined;
    const fault = `two things are mounted at ${path}, and the runtime chooses which is seen; keep one`;
    beneath.push(layerOf(other, fault, pod));
    return fault;
  };
  for (const mount of container.mounts) {
    layers.set(mount.path, layerOf(mount, clash(mount.path) ?? mount.fault, pod));
  }
  for (const [path, field] of container.kubeletFiles) {
    const use = { kind: "Other", name: field, writable: true } as const;
    const detail = `the kubelet mounts a file or device of its own here (${field}); name a path outside of skills`;
    const state = { state: "unverifiable", kind: "Other", detail } as const;
    clash(path);
    layers.set(path, { path, fault: { use, state, isFile: true, severity: "unreadable" } });
  }
  const seen = [...layers.values()].map((layer) => {
    const fault =
      layer.mount === undefined || layer.fault !== undefined
        ? undefined
        : unsteady(layer.mount, container, layers);
    return layer.mount === undefined || fault === undefined ? layer : layerOf(layer.mount, fault, pod);
  });
  return [...beneath, ...seen];
}

function layerOf(mount: Mount, fault: string | undefined, pod: PodSpec): Layer {
  if (fault === undefined) return { path: mount.path, mount };
  const { kind, name } = mount.volume;
  const use = { kind, name, writable: pod.writable.has(name) };
  const state = { state: "unverifiable", kind, detail: fault } as const;
  return { path: mount.path, mount, fault: { use, state, isFile: false, severity: "unreadable" } };
}

/**
 * The fault of a mount inside a volume that the kubelet writes. The kubelet makes the folder for it beforehand,
 * except for relative paths and ephemeral containers. The mount then lands behind the volume's links and comes off
 * with the volume's next update: the files below become visible.
 */
function unsteady(
  mount: Mount,
  container: Container,
  layers: ReadonlyMap<string, Layer>,
): string | undefined {
  const around = ancestorsOf(mount.path).find((path) => layers.has(path));
  const outer = around === undefined ? undefined : layers.get(around)?.mount;
  if (outer?.volume.atomic !== true || outer.subPath !== "") return undefined;
  const relative = [outer, mount].some(({ spelling }) => !spelling.startsWith("/"));
  if (!container.ephemeral && !relative) return undefined;
  const remedy = relative ? "write both paths from the root" : "mount it elsewhere";
  return `it is mounted inside the volume ${JSON.stringify(outer.volume.name)}, whose next update takes it off again; ${remedy}`;
}

/** The content of one layer by itself, at absolute paths. */
function contentOf(layer: Layer, views: ReadonlyMap<string, VolumeView>): Readable {
  const { path, mount, fault } = layer;
  const view = mount === undefined ? undefined : views.get(mount.volume.name);
  if (mount === undefined || fault !== undefined) {
    if (fault === undefined) return { files: [], unreadable: [] };
    const severity = view !== undefined && canHoldSkill(view) ? "failed" : fault.severity;
    return { files: [], unreadable: [{ ...fault, severity, path, layer }] };
  }
  if (view === undefined) return { files: [], unreadable: [] };
  const { subPath } = mount;
  const place = <T>(inside: string, content: T): T & { readonly path: string; readonly layer: Layer } => {
    const relative = inside === subPath ? "" : inside.slice(subPath === "" ? 0 : subPath.length + 1);
    return { ...content, path: joinPath(path, relative), layer };
  };
  const files = within(view.files, subPath).map(([inside, file]) => place(inside, file));
  const single = within(view.unreadable, subPath).map(([inside, one]) => place(inside, one));
  return { files, unreadable: [...view.whole.map((one) => ({ ...one, path, layer })), ...single] };
}

/** Whether the known files of a volume make a skill wherever they come to lie. */
const canHoldSkill = memoizeByObject(
  ({ files, whole }: VolumeView): boolean =>
    whole.some(({ severity }) => severity === "failed") ||
    files
      .entries()
      .some(([path, { file }]) => isSkillFile(path) || (isMarkdown(path) && declaresSkill(file))),
);

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
