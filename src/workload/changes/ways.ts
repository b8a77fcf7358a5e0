import type { VolumeObjectRef } from "../../skill/source.ts";
import { isMarkdown } from "../../skill/skill-file.ts";
import { ancestorsOf, joinPath, parentOf } from "../pod/container-path.ts";
import type { Container, Mount } from "../pod/pod-spec.ts";
import type { VolumePart } from "../pod/volume.ts";

type ObjectPart = Extract<VolumePart, { readonly from: "object" }>;

/** One mount through which one ConfigMap can put files into a container, whether it holds any at present or not. */
export interface Way {
  readonly mount: Mount;
  readonly part: ObjectPart;
}

/** The ways into one container. */
export interface Ways {
  readonly all: readonly Way[];
  /** The ways that can put a file at or below a path. */
  into(path: string): ReadonlySet<Way>;
}

const none: ReadonlySet<Way> = new Set();

/**
 * Secrets are left out: their files count as unreadable whatever they hold, and the policy's `unverifiable` decides.
 */
const waysOfMount = (mount: Mount): readonly Way[] =>
  mount.volume.parts.flatMap((part) =>
    part.from === "object" && part.kind === "ConfigMap" ? [{ mount, part }] : [],
  );

/** Whether every key of the object is a file at the top of the mount. */
const isWhole = ({ mount, part }: Way): boolean => part.items === undefined && mount.subPath === "";

/** The paths of a volume's file in the container: none if the mount's `subPath` leaves it out, several if that is not known. */
function placesOfFile({ path, subPath }: Mount, inside: string): readonly string[] {
  if (subPath === "") return [joinPath(path, inside)];
  if (subPath === undefined) return [path, ...suffixesOf(inside).map((suffix) => joinPath(path, suffix))];
  if (inside === subPath) return [path];
  return inside.startsWith(`${subPath}/`) ? [joinPath(path, inside.slice(subPath.length + 1))] : [];
}

/** The path, and what is left of it below each of its folders. */
function suffixesOf(path: string): readonly string[] {
  const components = path.split("/");
  return components.map((_, at) => components.slice(at).join("/"));
}

/** The files' paths for keys of the way's object; without keys, all that the pod's spec names. */
export function placesOf({ mount, part }: Way, keys?: ReadonlySet<string>): readonly string[] {
  const inside =
    part.items === undefined
      ? [...(keys ?? (mount.subPath ? [mount.subPath] : []))]
      : part.items.filter(({ key }) => keys?.has(key) ?? true).map(({ path }) => path);
  return inside.flatMap((path) => placesOfFile(mount, path));
}

/** Each folder once: the walk up ends where another file has been. */
function addWithFolders<T>(paths: readonly string[], known: Map<string, Set<T>>, value: T): void {
  for (const path of paths) {
    for (let at: string | undefined = path; at !== undefined; at = parentOf(at)) {
      const values = known.get(at) ?? new Set();
      if (values.has(value)) break;
      known.set(at, values.add(value));
    }
  }
}

/** Finds the ways into a container, by what the pod's spec says. Takes time in proportion to the items of its mounts. */
export function waysInto({ mounts }: Container): Ways {
  const all = mounts.flatMap(waysOfMount);
  const byPath = new Map<string, Set<Way>>();
  const whole = new Map<string, Set<Way>>();
  for (const way of all) {
    const { path } = way.mount;
    addWithFolders(isWhole(way) ? [path] : placesOf(way), byPath, way);
    // A mount with a fault may show any of its files, and at its own path shows that it has one.
    if (way.mount.fault !== undefined) addWithFolders([path], byPath, way);
    if (isWhole(way)) whole.set(path, (whole.get(path) ?? new Set()).add(way));
  }
  return { all, into: (path) => byPath.get(path) ?? whole.get(parentOf(path) ?? "") ?? none };
}

/** Keys of one object with bytes that may be others than before; undefined: any. */
export interface Altered {
  readonly ref: VolumeObjectRef;
  readonly keys: ReadonlySet<string> | undefined;
}

/** Finds the paths at or below which a change alters a file. */
export function touchedBy({ all }: Ways, { ref, keys }: Altered): (path: string) => boolean {
  const touched = new Map<string, Set<true>>();
  const whole = new Set<string>();
  for (const way of all) {
    if (way.part.name !== ref.name) continue;
    addWithFolders(placesOf(way, keys), touched, true);
    if (keys !== undefined) continue;
    addWithFolders(isWhole(way) ? [way.mount.path] : [], touched, true);
    if (isWhole(way)) whole.add(way.mount.path);
  }
  return (path) => touched.has(path) || (whole.size > 0 && whole.has(parentOf(path) ?? ""));
}

/** The folders that would be skills if the object held a Markdown file that makes one. */
export function possibleSkills(way: Way): readonly string[] {
  if (isWhole(way)) return [way.mount.path];
  return placesOf(way).flatMap((path) => (isMarkdown(path) ? (parentOf(path) ?? []) : []));
}

/** The path without the kubelet's own links, through which the same files are seen. */
export const withoutLinks = (path: string): string =>
  path.includes("/..")
    ? `/${path
        .split("/")
        .filter((name) => name !== "" && !name.startsWith(".."))
        .join("/")}`
    : path;

/** Whether a path, or a folder above it, is among these. */
export const isWithin = (paths: ReadonlySet<string>, path: string): boolean =>
  paths.has(path) || ancestorsOf(path).some((folder) => paths.has(folder));
