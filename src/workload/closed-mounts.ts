import { volumeObjectKey } from "../kubernetes/volume-object.ts";
import { baseName } from "../skill/path.ts";
import type { SkillReference } from "../skill/reference.ts";
import type { SkillFile } from "../skill/skill.ts";
import { SourceError } from "../skill/source-error.ts";
import { isFields, type Fields } from "../text/fields.ts";
import { isKubeletMade } from "./kubelet-volumes.ts";
import { mergeReferences } from "./merge-references.ts";
import { ancestorsOf, componentsOf, isBelow, joinPath } from "./pod/container-path.ts";
import type { Container, Mount, PodSpec } from "./pod/pod-spec.ts";
import type { PodSubject } from "./pod/pod-subject.ts";
import type { Volume } from "./pod/volume.ts";
import type { ReadObjects } from "./pod/volume-view.ts";
import { commonRoots, skillRoots, type SkillRoots } from "./roots/skill-roots.ts";

/** A policy that closes the pod, and the folders at and below which it lets anything be mounted. */
export interface Closing {
  readonly policy: string;
  readonly data: readonly string[];
}

/** A pod as its skills were found. */
export interface SeenPod {
  readonly pod: PodSubject;
  readonly spec: PodSpec;
  readonly extraRoots: readonly string[];
  readonly objects: ReadObjects;
  readonly skills: readonly SkillReference[];
}

/** One reference for each mount of a closed pod that is neither a skill's, nor the kubelet's, nor allowed as data. */
export function closedMounts(seen: SeenPod, closings: readonly Closing[]): readonly SkillReference[] {
  const { pod, spec, extraRoots, objects } = seen;
  const common = commonRoots(extraRoots);
  const entries = entriesByName(pod);
  return mergeReferences(
    spec.containers.flatMap((container) => {
      const verified = verifiedPaths(container, seen.skills);
      const roots = skillRoots(common, container, objects);
      const mounts = container.mounts.filter(
        (mount) =>
          !isKubeletMade(entries.get(mount.volume.name) ?? {}, mount.path) &&
          !isVerified(mount, verified, objects),
      );
      return [
        ...mounts.flatMap((mount) => mountFaults(mount, { container, roots, spec }, closings)),
        ...deviceFaults(container, roots, closings),
      ];
    }),
  );
}

const entriesByName = ({ spec }: PodSubject): ReadonlyMap<unknown, Fields> => {
  const volumes: readonly unknown[] = Array.isArray(spec["volumes"]) ? spec["volumes"] : [];
  return new Map(volumes.filter(isFields).map((entry) => [entry["name"], entry]));
};

type Paths = ReadonlyMap<SkillFile, ReadonlySet<string>>;

/** The paths at which each file is judged as a part of a skill in a container. */
function verifiedPaths({ name }: Container, skills: readonly SkillReference[]): Paths {
  const paths = new Map<SkillFile, Set<string>>();
  for (const { path, containers, content } of skills) {
    if (content.state !== "resolved" || !containers.includes(name)) continue;
    for (const [inside, file] of content.skill.files) {
      const at = paths.get(file) ?? new Set();
      paths.set(file, at.add(joinPath(path, inside)));
      // A single file in a skill root is a skill by itself.
      if (content.skill.files.size === 1 && inside === baseName(path)) at.add(path);
    }
  }
  return paths;
}

/** Whether a mount shows files, and each is judged as a part of a skill. */
function isVerified({ volume, path, subPath, fault }: Mount, verified: Paths, objects: ReadObjects): boolean {
  const files = fault === undefined ? filesOf(volume, objects) : undefined;
  if (files === undefined || subPath === undefined) return false;
  const shown = [...files].filter(
    ([inside]) => subPath === "" || inside === subPath || inside.startsWith(`${subPath}/`),
  );
  return (
    shown.length > 0 &&
    shown.every(([inside, file]) => {
      const relative = subPath === "" ? inside : inside.slice(subPath.length + 1);
      const at = verified.get(file);
      // Covered by another mount, it is judged below the kubelet's link.
      return [joinPath(path, relative), joinPath(`${path}/..data`, relative)].some((one) => at?.has(one));
    })
  );
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

interface Within {
  readonly container: Container;
  readonly roots: SkillRoots;
  readonly spec: PodSpec;
}

function mountFaults(
  mount: Mount,
  { container, roots, spec }: Within,
  closings: readonly Closing[],
): readonly SkillReference[] {
  const { volume, path } = mount;
  const name = volume.parts[0]?.name ?? volume.name;
  const source = { kind: volume.kind, name, writable: spec.writable.has(volume.name) };
  const what = `the volume ${JSON.stringify(volume.name)} is no verified skill`;
  const why = (data: readonly string[]): string | undefined =>
    atNoData(path, data, roots) ?? misled(mount, container);
  return faultsBy(closings, why, what).map((content) => ({
    name: baseName(path),
    path,
    containers: [container.name],
    sources: [source],
    content,
  }));
}

/** A device that holds a claim's bytes, which a container may read as a file. */
function deviceFaults(
  { name, kubeletFiles }: Container,
  roots: SkillRoots,
  closings: readonly Closing[],
): readonly SkillReference[] {
  const devices = [...kubeletFiles].filter(([, field]) => field === "devicePath");
  return devices.flatMap(([path]) =>
    faultsBy(closings, (data) => atNoData(path, data, roots), "a device is no verified skill").map(
      (content) => ({
        name: baseName(path),
        path,
        containers: [name],
        sources: [{ kind: "PersistentVolumeClaim", name: "devicePath", writable: true }],
        content,
      }),
    ),
  );
}

/** One fault for the policies that refuse a mount for the same reason. */
function faultsBy(
  closings: readonly Closing[],
  why: (data: readonly string[]) => string | undefined,
  what: string,
): readonly Extract<SkillReference["content"], { readonly state: "fault" }>[] {
  const byReason = new Map<string, string[]>();
  for (const { policy, data } of closings) {
    const reason = why(data);
    if (reason !== undefined) byReason.set(reason, [...(byReason.get(reason) ?? []), policy]);
  }
  return [...byReason].map(([reason, policies]) => ({
    state: "fault",
    demand: "closed",
    policies,
    detail: `${what}, and ${reason}`,
  }));
}

/** The reason why no folder of data allows a mount at a path; undefined if one does. */
function atNoData(path: string, data: readonly string[], roots: SkillRoots): string | undefined {
  const around = data.find((folder) => path === folder || isBelow(folder, path));
  if (around === undefined) return `${path} lies in no folder of closed.data`;
  for (const folder of [around, path]) {
    if (roots.rootOf(folder) !== undefined) return `${folder} is in a skill root`;
    const place = roots.placesAbove(folder).find(({ rule }) => rule === "above" || rule === "agentPrefix");
    if (place !== undefined) return `${folder} may hold skills: ${place.why}`;
  }
  return undefined;
}

/** The reason why a mount may end up elsewhere than its path says; undefined if it does not. */
function misled({ path, spelling }: Mount, { mounts }: Container): string | undefined {
  if (componentsOf(spelling).some((name) => name.startsWith("..")))
    return `its path ${spelling} goes through ..`;
  const above = new Set(ancestorsOf(path));
  const through = mounts.find((other) => above.has(other.path) && !other.volume.atomic);
  return through === undefined
    ? undefined
    : `a link in the volume ${JSON.stringify(through.volume.name)} at ${through.path} could lead it elsewhere`;
}
