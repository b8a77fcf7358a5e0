import { baseName } from "../skill/path.ts";
import type { SkillReference } from "../skill/reference.ts";
import { defined, isFields, type Fields } from "../text/fields.ts";
import { isKubeletMade } from "./kubelet-volumes.ts";
import { mergeReferences } from "./merge-references.ts";
import { ancestorsOf, componentsOf, isBelow } from "./pod/container-path.ts";
import type { Container, Mount, PodSpec } from "./pod/pod-spec.ts";
import type { PodSubject } from "./pod/pod-subject.ts";
import type { ReadObjects } from "./pod/volume-view.ts";
import { commonRoots, skillRoots, type SkillRoots } from "./roots/skill-roots.ts";
import { verifiedMounts } from "./verified-mounts.ts";

/** A policy that closes the pod, and the folders at and below which it lets anything be mounted. */
export interface Closing {
  readonly policy: string;
  readonly data: readonly string[];
}

/** A pod as its skills were found. */
export interface SeenPod {
  readonly pod: PodSubject;
  /** Parses the pod, once. */
  readonly spec: () => PodSpec;
  readonly extraRoots: readonly string[];
  readonly objects: ReadObjects;
  readonly skills: readonly SkillReference[];
}

/** One reference for each mount of a closed pod that is neither a skill's, nor the kubelet's, nor allowed as data. */
export function closedMounts(seen: SeenPod, closings: readonly Closing[]): readonly SkillReference[] {
  const { pod, extraRoots, objects } = seen;
  const spec = seen.spec();
  const common = commonRoots(extraRoots);
  const entries = entriesByName(pod);
  const isVerified = verifiedMounts(seen.skills, objects);
  return mergeReferences(
    spec.containers.flatMap((container) => {
      const roots = skillRoots(common, container, objects);
      const within = { container, roots, spec, linked: linkedPaths(container) };
      const mounts = container.mounts.filter(
        (mount) =>
          !isKubeletMade(entries.get(mount.volume.name) ?? {}, mount.path) && !isVerified(mount, container),
      );
      return [
        ...mounts.flatMap((mount) => mountFaults(mount, within, closings)),
        ...deviceFaults(container, roots, closings),
      ];
    }),
  );
}

const entriesByName = ({ spec }: PodSubject): ReadonlyMap<unknown, Fields> => {
  const volumes: readonly unknown[] = Array.isArray(spec["volumes"]) ? spec["volumes"] : [];
  return new Map(volumes.filter(isFields).map((entry) => [entry["name"], entry]));
};

interface Within {
  readonly container: Container;
  readonly roots: SkillRoots;
  readonly spec: PodSpec;
  readonly linked: LinkedPaths;
}

/** Why no folder of data allows a mount. */
interface Refusal {
  readonly reason: string;
  /** Absent: the demand's own. */
  readonly remedy?: string;
}

/** Names of the volumes that may hold links, by the paths at which a container mounts them. */
type LinkedPaths = ReadonlyMap<string, string>;

const linkedPaths = ({ mounts }: Container): LinkedPaths =>
  new Map(mounts.flatMap(({ path, volume }) => (volume.atomic ? [] : [[path, volume.name] as const])));

function mountFaults(
  mount: Mount,
  { container, roots, spec, linked }: Within,
  closings: readonly Closing[],
): readonly SkillReference[] {
  const { volume, path } = mount;
  const name = volume.parts[0]?.name ?? volume.name;
  const source = { kind: volume.kind, name, writable: spec.writable.has(volume.name) };
  const what = `the volume ${JSON.stringify(volume.name)} is no verified skill`;
  const why = (data: readonly string[]): Refusal | undefined =>
    atNoData(path, data, roots) ?? misled(mount, linked);
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
  return [...kubeletFiles].flatMap(([path, { field, device }]) => {
    if (device === undefined) return [];
    const what = `${field} shows a device, which is no verified skill`;
    const source = { kind: device.kind, name: device.parts[0]?.name ?? device.name, writable: true };
    return faultsBy(closings, (data) => atNoData(path, data, roots), what).map((content) => ({
      name: baseName(path),
      path,
      containers: [name],
      sources: [source],
      content: { ...content, field },
    }));
  });
}

/** One fault for the policies that refuse a mount for the same reason. */
function faultsBy(
  closings: readonly Closing[],
  why: (data: readonly string[]) => Refusal | undefined,
  what: string,
): readonly Extract<SkillReference["content"], { readonly state: "fault" }>[] {
  const byReason = new Map<string, { readonly refusal: Refusal; readonly policies: readonly string[] }>();
  for (const { policy, data } of closings) {
    const refusal = why(data);
    if (refusal === undefined) continue;
    const others = byReason.get(refusal.reason)?.policies ?? [];
    byReason.set(refusal.reason, { refusal, policies: [...others, policy] });
  }
  return [...byReason.values()].map(({ refusal: { reason, remedy }, policies }) => ({
    state: "fault",
    demand: "closed",
    policies,
    detail: `${what}, and ${reason}`,
    ...defined({ remedy }),
  }));
}

/** Folders of a policy that a remedy names, at most. */
const maxNamed = 3;

const moveTo = (data: readonly string[]): string =>
  data.length === 0
    ? "take it out, or have the policy name a folder for it in closed.data"
    : `take it out, or mount it at or below ${data.slice(0, maxNamed).join(" or ")}${data.length > maxNamed ? " (closed.data of the policy names more)" : ""}`;

/** The refusal of a mount at a path that no folder of data allows; undefined if one does. */
function atNoData(path: string, data: readonly string[], roots: SkillRoots): Refusal | undefined {
  const around = data.find((folder) => path === folder || isBelow(folder, path));
  if (around === undefined)
    return { reason: `${path} lies in no folder of closed.data`, remedy: moveTo(data) };
  const remedy =
    "mount it where no skill can lie, in a folder of the policy's closed.data, or move what makes skills possible there";
  for (const folder of [around, path]) {
    if (roots.rootOf(folder) !== undefined) return { reason: `${folder} is in a skill root`, remedy };
    const place = roots.placesAbove(folder).find(({ rule }) => rule === "above" || rule === "agentPrefix");
    if (place !== undefined) return { reason: `${folder} may hold skills: ${place.why}`, remedy };
  }
  return undefined;
}

/** The refusal of a mount that may end up elsewhere than its path says; undefined if it does not. */
function misled({ path, spelling }: Mount, linked: LinkedPaths): Refusal | undefined {
  if (componentsOf(spelling).some((name) => name.startsWith("..")))
    return { reason: `its path ${spelling} goes through ..`, remedy: `write ${path} as its mountPath` };
  const through = ancestorsOf(path).find((above) => linked.has(above));
  if (through === undefined) return undefined;
  const volume = JSON.stringify(linked.get(through));
  return {
    reason: `a link in the volume ${volume} at ${through} could lead it elsewhere`,
    remedy: "mount it outside of other volumes",
  };
}
