import type { SkillContent, SourceUse } from "../../skill/reference.ts";
import type { SkillFile } from "../../skill/skill.ts";
import { SourceError } from "../../skill/source-error.ts";
import type { VolumeObject } from "../../skill/source.ts";
import type { Volume, VolumePart } from "./volume.ts";
import { volumeObjectKey } from "../../kubernetes/volume-object.ts";

/** What was read for a pod, by `volumeObjectKey`: undefined where there is no such object. */
export type ReadObjects = ReadonlyMap<string, VolumeObject | SourceError | undefined>;

/** A file, and the volume that puts it there. */
export interface VolumeFile {
  readonly file: SkillFile;
  readonly use: SourceUse;
  /**
   * Is its source `optional`: once the object is deleted, which nobody reviews, the kubelet takes the file out of the
   * running pod. Without the word it leaves the volume as it was.
   */
  readonly optional: boolean;
}

/** A place whose bytes are not known. */
export interface UnreadablePath {
  readonly use: SourceUse;
  readonly state: Exclude<SkillContent, { readonly state: "resolved" }>;
  /** It is one file, not a folder that may hold anything. */
  readonly isFile: boolean;
  /**
   * How much it says where no skill is known: `failed` reads could hide one, so they always count; a place that
   * cannot be read (`unreadable`) makes a skill if its name does; one that holds `nothing` yet never does.
   */
  readonly severity: "failed" | "unreadable" | "nothing";
}

/** The files of one volume as the kubelet writes them, paths relative to its root. */
export interface VolumeView {
  readonly files: ReadonlyMap<string, VolumeFile>;
  /** Single files that are not known. */
  readonly unreadable: ReadonlyMap<string, UnreadablePath>;
  /** What is not known of the volume as a whole. */
  readonly whole: readonly UnreadablePath[];
}

/** What the pod around a volume does to its files. */
export interface VolumeSetting {
  readonly namespace: string;
  readonly objects: ReadObjects;
  /** Could some container write through a mount of it. */
  readonly writable: boolean;
  /** Every `subPath` under which the volume is mounted. */
  readonly subPaths: readonly string[];
}

interface Building {
  readonly volume: Volume;
  readonly setting: VolumeSetting;
  readonly files: Map<string, VolumeFile>;
  readonly unreadable: Map<string, UnreadablePath>;
  readonly whole: UnreadablePath[];
  readonly spellings: Map<string, string>;
}

const unavailable = (code: SourceError["code"], detail: string): UnreadablePath["state"] => ({
  state: "unavailable",
  code,
  detail,
});

/** Puts together what a volume holds. Never throws: what is wrong with it becomes a mark. */
export function viewOfVolume(volume: Volume, setting: VolumeSetting): VolumeView {
  const building: Building = {
    volume,
    setting,
    files: new Map(),
    unreadable: new Map(),
    whole: [],
    spellings: new Map(),
  };
  for (const part of volume.parts) addPart(building, part);
  assertNoFileAboveFile(building);
  addUnsettled(building);
  return building;
}

/** The name at the volume's root below which a path lies. */
export const firstOf = (path: string): string => {
  const slash = path.indexOf("/");
  return slash === -1 ? path : path.slice(0, slash);
};

function addPart(building: Building, part: VolumePart): void {
  const { volume, setting } = building;
  if (part.from === "unreadable") {
    const use = { kind: part.kind, name: part.name, writable: setting.writable };
    addUnreadableSource(building, use, part.paths);
    return;
  }
  const key = volumeObjectKey(part);
  const object = setting.objects.get(key);
  // ConfigMaps of a projected volume are told apart from plain ones by policies.
  const kind = volume.kind === "Projected" && part.kind === "ConfigMap" ? "Projected" : part.kind;
  const use: SourceUse = {
    kind,
    name: part.name,
    ...(object === undefined || object instanceof SourceError ? {} : { immutable: object.immutable }),
    writable: setting.writable,
  };
  const what = `${part.kind} ${setting.namespace}/${part.name}`;
  const paths = part.items?.map(({ path }) => path);
  if (object instanceof SourceError) {
    fail(building, use, object.code, object.message);
  } else if (object !== undefined) {
    addObject(building, part, use, object);
  } else if (setting.objects.has(key)) {
    addMissing(building, use, paths, `${what} does not exist; create it first`);
  } else if (part.kind === "Secret") {
    addUnreadableSource(building, use, paths);
  } else {
    addMissing(building, use, paths, `${what} was not read`);
  }
}

/**
 * Marks single files, or the whole volume where it is not known which files there are. A file below one that is missing
 * stays: it is seen where the kubelet goes without the missing one.
 */
function addUnreadable(
  building: Building,
  paths: readonly string[] | undefined,
  added: Omit<UnreadablePath, "isFile">,
): void {
  if (paths === undefined) building.whole.push({ ...added, isFile: false });
  for (const path of paths ?? []) {
    if (added.severity !== "nothing") building.files.delete(path);
    building.unreadable.set(path, { ...added, isFile: true });
  }
}

const fail = (building: Building, use: SourceUse, code: SourceError["code"], detail: string): void =>
  addUnreadable(building, undefined, { use, state: unavailable(code, detail), severity: "failed" });

function addUnreadableSource(building: Building, use: SourceUse, paths: readonly string[] | undefined): void {
  const { volume } = building;
  const detail = `the volume ${JSON.stringify(volume.name)} takes files from ${use.kind} ${use.name}, whose bytes cannot be read before the pod runs; use a ConfigMap`;
  const state = { state: "unverifiable", kind: use.kind, detail } as const;
  addUnreadable(building, paths, { use, state, severity: "unreadable" });
}

const addMissing = (
  building: Building,
  use: SourceUse,
  paths: readonly string[] | undefined,
  detail: string,
): void =>
  addUnreadable(building, paths, {
    use,
    state: unavailable("SOURCE_UNAVAILABLE", detail),
    severity: "nothing",
  });

type ObjectPart = Extract<VolumePart, { readonly from: "object" }>;

function addObject(building: Building, part: ObjectPart, use: SourceUse, object: VolumeObject): void {
  const what = `${part.kind} ${object.namespace}/${object.name}`;
  const { optional } = part;
  if (part.items === undefined) {
    for (const [key, file] of object.files) addKey(building, { key, file, use, optional, what });
    return;
  }
  for (const { key, path, spelling } of part.items) {
    const file = object.files.get(key);
    if (file !== undefined) {
      place(building, { path, spelling, file, use, optional });
    } else if (!part.optional) {
      const detail = `${what} has no key ${JSON.stringify(key)}, which the volume's items name; keep it there, or take it out of items`;
      addMissing(building, use, [path], detail);
    }
  }
}

/** Keys with such names cannot come from an API server; a folder of manifests may hold anything. */
function addKey(
  building: Building,
  { key, what, ...added }: VolumeFile & { readonly key: string; readonly what: string },
): void {
  const { use } = added;
  if (key !== "" && key !== "." && !key.startsWith("..") && !key.includes("/")) {
    place(building, { path: key, spelling: key, ...added });
    return;
  }
  const detail = `${what} has the key ${JSON.stringify(key)}, which no volume can hold as a file; rename it`;
  fail(building, use, "SOURCE_MALFORMED", detail);
}

function place(
  building: Building,
  { path, spelling, ...added }: VolumeFile & { readonly path: string; readonly spelling: string },
): void {
  const { use } = added;
  const other = building.spellings.get(path);
  const under = building.files.get(path)?.use;
  if (other !== undefined && other !== spelling) {
    const detail = `${building.volume.field} writes ${JSON.stringify(path)} twice in two spellings, and which one wins is chance; keep one`;
    fail(building, use, "SOURCE_MALFORMED", detail);
    if (under !== undefined && under.name !== use.name) fail(building, under, "SOURCE_MALFORMED", detail);
  }
  building.spellings.set(path, spelling);
  building.unreadable.delete(path);
  building.files.set(path, added);
  if (added.optional && under !== undefined && under.name !== use.name) {
    const detail = `${use.kind} ${use.name} is optional and lies over a file of ${under.name}, which its deletion would uncover; take out "optional"`;
    const state = { state: "unverifiable", kind: building.volume.kind, detail } as const;
    building.unreadable.set(path, { use, state, isFile: true, severity: "unreadable" });
  }
}

/** The kubelet cannot write a file and a folder of one name: which of them fails first is chance. */
function assertNoFileAboveFile(building: Building): void {
  for (const [path, { use }] of building.files) {
    for (let slash = path.indexOf("/"); slash !== -1; slash = path.indexOf("/", slash + 1)) {
      const folder = path.slice(0, slash);
      if (!building.files.has(folder)) continue;
      const detail = `${building.volume.field} makes ${JSON.stringify(folder)} both a file and a folder; rename one`;
      fail(building, use, "SOURCE_MALFORMED", detail);
      return;
    }
  }
}

/**
 * A `subPath` that does not exist is made by the kubelet, as an empty folder. Inside a folder of the volume's own
 * files that makes the kubelet write the volume anew, under the feet of the containers that mount a part of it.
 */
function addUnsettled(building: Building): void {
  const { volume, setting, files } = building;
  const nested = setting.subPaths.filter((subPath) => subPath.includes("/"));
  if (!volume.atomic || nested.length === 0 || files.size === 0) return;
  const folders = new Set<string>();
  for (const path of files.keys()) {
    for (let slash = path.indexOf("/"); slash !== -1; slash = path.indexOf("/", slash + 1))
      folders.add(path.slice(0, slash));
  }
  const made = nested.find((path) => !files.has(path) && !folders.has(path) && folders.has(firstOf(path)));
  const [first] = files.values();
  if (made === undefined || first === undefined) return;
  const detail = `the volume ${JSON.stringify(volume.name)} has no ${JSON.stringify(made)}, and making it disturbs the volume; correct the subPath`;
  const state = { state: "unverifiable", kind: volume.kind, detail } as const;
  addUnreadable(building, undefined, { use: first.use, state, severity: "unreadable" });
}
