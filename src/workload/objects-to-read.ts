import { SourceError } from "../skill/source-error.ts";
import type { VolumeObjectRequest } from "../skill/source.ts";
import { ancestorsOf, joinPath, parentOf } from "./pod/container-path.ts";
import { podLimits } from "./pod/limits.ts";
import { tokenPath } from "./pod/mounted-objects.ts";
import { placesOf, type Container, type Mount, type PodSpec } from "./pod/pod-spec.ts";
import { isMarkdown, isSkillFile } from "../skill/skill-file.ts";
import { environmentRequests } from "./roots/container-variables.ts";
import { isSettled } from "./roots/settled-volume.ts";
import { commonRoots, skillRoots, type SkillRoots } from "./roots/skill-roots.ts";
import type { Volume, VolumePart } from "./pod/volume.ts";
import type { ReadObjects } from "./pod/volume-view.ts";
import { volumeObjectKey } from "../kubernetes/volume-object.ts";

type ObjectPart = Extract<VolumePart, { readonly from: "object" }>;

/** Secrets are not read: what they contribute counts as unreadable. */
const isReadable = (part: VolumePart): part is ObjectPart => part.from === "object" && part.kind !== "Secret";

/**
 * The objects to read for a pod, with the mounted keys only; empty if no readable object can hold a skill.
 *
 * An object with `items` shows its paths without being read: outside of skill roots it is read only if one of them
 * can be a skill. An object without `items` is read wherever it is mounted: its keys decide.
 *
 * @throws SourceError LIMIT_EXCEEDED naming the field
 */
export function objectsToRead(spec: PodSpec, extraRoots: readonly string[]): readonly VolumeObjectRequest[] {
  const { containers, namespace } = spec;
  const near = volumesToRead(containers, extraRoots);
  const requests = new Map<string, VolumeObjectRequest>();
  for (const asked of containers
    .filter(looksIntoMounts)
    .flatMap((one) => environmentRequests(one, namespace))) {
    const key = volumeObjectKey(asked);
    requests.set(key, joinedRequest(requests.get(key), asked));
  }
  for (const [volume, subPaths] of mountedPaths(containers, near)) {
    for (const part of volume.parts) {
      if (!isReadable(part)) continue;
      const { kind, name } = part;
      const key = volumeObjectKey(part);
      const asked = { kind, namespace, name, ...keysOf(part, subPaths) };
      requests.set(key, joinedRequest(requests.get(key), asked));
    }
  }
  if (requests.size > podLimits.objects) {
    const fault = `mounts ${requests.size} objects that could hold skills, more than ${podLimits.objects}; mount fewer`;
    throw new SourceError("LIMIT_EXCEEDED", `${spec.field}.volumes ${fault}`);
  }
  return [...requests.values()];
}

/** Whether variables can matter: nearly every pod mounts its token, and agents look for no skill there. */
const looksIntoMounts = ({ mounts }: Container): boolean =>
  mounts.some(({ path, volume, fault }) => path !== tokenPath || !isSettled(volume) || fault !== undefined);

const noObjects: ReadObjects = new Map();

/** The volumes in which some container can see a skill. */
function volumesToRead(containers: readonly Container[], extraRoots: readonly string[]): ReadonlySet<Volume> {
  const found = new Set<Volume>();
  const common = commonRoots(extraRoots);
  for (const container of containers) {
    let roots: SkillRoots | undefined;
    let isNear: ((path: string) => boolean) | undefined;
    for (const mount of container.mounts) {
      const { volume } = mount;
      if (found.has(volume)) continue;
      const parts = volume.parts.filter(isReadable);
      if (parts.length === 0) continue;
      roots ??= skillRoots(common, container, noObjects);
      isNear ??= nearSkills(container, roots);
      if (parts.some(canNameSkill) || placesOf(mount).some(isNear) || holdsRoot(mount, parts, roots))
        found.add(volume);
    }
  }
  return found;
}

/** A mount in a container. */
export interface PlaceInRoot {
  readonly container: string;
  readonly path: string;
}

/** The ConfigMaps whose keys would lie in a root, or be SKILL.md, if they held what the pod names; each with such a mount. */
export function configMapsInRoots(
  spec: PodSpec,
  extraRoots: readonly string[],
): ReadonlyMap<string, PlaceInRoot> {
  const common = commonRoots(extraRoots);
  const found = new Map<string, PlaceInRoot>();
  for (const container of spec.containers) {
    const roots = skillRoots(common, container, noObjects);
    for (const mount of container.mounts) {
      const parts = mount.volume.parts.filter(isReadable);
      const isInRoot = placesOf(mount).some((path) => roots.rootOf(path) !== undefined);
      for (const part of parts)
        if (isInRoot || part.items?.some(({ path }) => isSkillFile(path)) || holdsRoot(mount, [part], roots))
          found.set(part.name, { container: container.name, path: mount.path });
    }
  }
  return found;
}

/** Whether an item lies in a root, wherever the volume is mounted. */
function holdsRoot(mount: Mount, parts: readonly ObjectPart[], roots: SkillRoots): boolean {
  const folder = `${mount.subPath ?? ""}/`;
  return parts.some(({ items = [] }) =>
    items.some((item) => {
      const inside = item.path.startsWith(folder) ? item.path.slice(folder.length) : item.path;
      return placesOf(mount).some((place) => roots.rootOf(joinPath(place, inside)) !== undefined);
    }),
  );
}

/**
 * The names at a volume's root that are mounted by `subPath`. "all": it is mounted whole, by an unknown subPath, or
 * by more names than the limit.
 */
function mountedPaths(
  containers: readonly Container[],
  volumes: ReadonlySet<Volume>,
): ReadonlyMap<Volume, ReadonlySet<string> | "all"> {
  const mounted = new Map<Volume, Set<string> | "all">();
  for (const { volume, subPath, fault } of containers.flatMap(({ mounts }) => mounts)) {
    if (!volumes.has(volume)) continue;
    const names = mounted.get(volume) ?? new Set();
    const [name = ""] = (subPath ?? "").split("/", 1);
    if (names !== "all") names.add(name);
    const isAll = names === "all" || name === "" || fault !== undefined || names.size > podLimits.subPaths;
    mounted.set(volume, isAll ? "all" : names);
  }
  return mounted;
}

function keysOf(
  { items }: ObjectPart,
  mounted: ReadonlySet<string> | "all",
): Pick<VolumeObjectRequest, "keys"> {
  if (items !== undefined) return { keys: new Set(items.map(({ key }) => key)) };
  return mounted === "all" ? {} : { keys: mounted };
}

/** Joins two requests for the same object. */
export function joinedRequest(
  one: VolumeObjectRequest | undefined,
  other: VolumeObjectRequest,
): VolumeObjectRequest {
  if (one === undefined || other.keys === undefined) return other;
  const { keys } = one;
  if (keys === undefined || other.keys.values().every((key) => keys.has(key))) return one;
  return { ...one, keys: new Set([...keys, ...other.keys]) };
}

/** Whether a part's paths can make a skill wherever it is mounted. */
function canNameSkill(part: VolumePart): boolean {
  if (part.from === "unreadable") return part.paths?.some(isMarkdown) === true;
  return part.items === undefined ? isReadable(part) : part.items.some(({ path }) => isMarkdown(path));
}

/**
 * Whether a mount's path can make a skill, or be a part of one: at, above or below a skill root, named like a Markdown
 * file, beside one, inside another mount, which may be a skill, or at or around a mount that can name one.
 */
function nearSkills({ mounts, kubeletFiles }: Container, roots: SkillRoots): (path: string) => boolean {
  const namesSkill = ({ path, volume }: Mount): boolean =>
    isMarkdown(path) || volume.parts.some(canNameSkill);
  const naming = [
    ...mounts.filter(namesSkill).map(({ path }) => path),
    ...kubeletFiles.keys().filter(isMarkdown),
  ];
  const around = new Set(naming.flatMap((path) => [path, ...ancestorsOf(path)]));
  const besideMarkdown = naming.flatMap((path) => (isMarkdown(path) ? (parentOf(path) ?? []) : []));
  const folders = new Set([...mounts.map(({ path }) => path), ...besideMarkdown]);
  return (path) =>
    roots.rootOf(path) !== undefined ||
    roots.isAbove(path) ||
    isMarkdown(path) ||
    around.has(path) ||
    ancestorsOf(path).some((above) => folders.has(above));
}
