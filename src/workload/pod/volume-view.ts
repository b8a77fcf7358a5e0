import { inDoubt, type SkillContent, type SourceUse } from "../../skill/reference.ts";
import type { SkillFile } from "../../skill/skill.ts";
import { SourceError } from "../../skill/source-error.ts";
import type { VolumeObject } from "../../skill/source.ts";
import type { Volume, VolumePart } from "./volume.ts";
import { volumeObjectKey } from "../../kubernetes/volume-object.ts";

/** Results of reading, by `volumeObjectKey`: undefined for an object that does not exist. */
export type ReadObjects = ReadonlyMap<string, VolumeObject | SourceError | undefined>;

/** A file, and the volume that holds it. */
export interface VolumeFile {
  readonly file: SkillFile;
  readonly use: SourceUse;
  /**
   * Whether its source is `optional`: once the object is deleted, without a review, the kubelet removes the file from
   * the running pod. Files of a required object stay.
   */
  readonly optional: boolean;
}

/** A path whose bytes are not known. */
export interface UnreadablePath {
  readonly use: SourceUse;
  readonly state: Exclude<SkillContent, { readonly state: "resolved" | "fault" }>;
  /** Whether it is a single file; else a folder that may hold anything. */
  readonly isFile: boolean;
  /**
   * Effect of the path where no readable file makes a skill. At or near a skill root every one counts. Elsewhere
   * `failed` always counts, for the read could hide a skill; `unreadable` counts if its path names a skill;
   * `nothing`, a file that does not exist, never does.
   */
  readonly severity: "failed" | "unreadable" | "nothing";
}

/** The files of one volume as the kubelet writes them, by path relative to its root. */
export interface VolumeView {
  readonly files: ReadonlyMap<string, VolumeFile>;
  /** Unreadable files: several sources may have one path, and a readable file of that path takes none of them away. */
  readonly unreadable: ReadonlyMap<string, readonly UnreadablePath[]>;
  /** Faults of the volume as a whole. */
  readonly whole: readonly UnreadablePath[];
  /**
   * First names at which the kubelet makes folders before it writes the files, which then are not at their own path
   * in any container, but below `..data` only.
   */
  readonly madeFolders: ReadonlySet<string>;
}

/** The pod's use of a volume. */
export interface VolumeSetting {
  readonly namespace: string;
  readonly objects: ReadObjects;
  /** Whether some container can write through a mount of it. */
  readonly writable: boolean;
  /** Every `subPath` under which the volume is mounted, where it is known. */
  readonly subPaths: readonly string[];
  readonly madeFolders: ReadonlySet<string>;
}

interface Building {
  readonly volume: Volume;
  readonly setting: VolumeSetting;
  readonly files: Map<string, VolumeFile>;
  readonly unreadable: Map<string, UnreadablePath[]>;
  readonly whole: UnreadablePath[];
  readonly spellings: Map<string, string>;
}

type Unavailable = Extract<SkillContent, { readonly state: "unavailable" }>;

const unavailable = (code: SourceError["code"], detail: string): Unavailable => ({
  state: "unavailable",
  code,
  detail,
});

/** Lays the parts of a volume over each other. Never throws: each fault becomes an unreadable path. */
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
  const { files, unreadable, whole } = building;
  return { files, unreadable, whole, madeFolders: setting.madeFolders };
}

/** The first component of a path. */
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
  // Policies tell ConfigMaps of a projected volume from plain ones.
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
    unread(building, use, object);
  } else if (object !== undefined) {
    addObject(building, part, use, object);
  } else if (setting.objects.has(key)) {
    // There is no skill then, and its creation is reviewed.
    if (part.optional) return;
    addMissing(building, use, paths, { ...missing(`${what} does not exist`), isAbsent: true });
  } else if (part.kind === "Secret") {
    addUnreadableSource(building, use, paths);
  } else {
    addMissing(building, use, paths, missing(`${what} was not read`));
  }
}

/**
 * Adds unreadable files, or the whole volume if its files are not known. Other files of the same path stay: the kubelet
 * shows them while these are missing, and of two spellings of one path any.
 */
function addUnreadable(
  building: Building,
  paths: readonly string[] | undefined,
  added: Omit<UnreadablePath, "isFile">,
): void {
  if (paths === undefined) building.whole.push({ ...added, isFile: false });
  for (const path of paths ?? []) {
    const others = building.unreadable.get(path) ?? [];
    building.unreadable.set(path, others);
    others.push({ ...added, isFile: true });
  }
}

const failAs = (building: Building, use: SourceUse, state: Unavailable): void =>
  addUnreadable(building, undefined, { use, state, severity: "failed" });

const malformed = (building: Building, use: SourceUse, detail: string): void =>
  failAs(building, use, unavailable("SOURCE_MALFORMED", detail));

function unread(building: Building, use: SourceUse, { code, message }: SourceError): void {
  const isUnread = code === "SOURCE_UNAVAILABLE" || code === "TIMEOUT";
  failAs(building, use, { ...unavailable(code, message), ...(isUnread ? { isUnread } : {}) });
}

/** Kinds of volume that have no name but the volume's. */
const nameless: ReadonlySet<SourceUse["kind"]> = new Set([
  "DownwardAPI",
  "Projected",
  "EmptyDir",
  "Ephemeral",
  "Other",
]);

function addUnreadableSource(building: Building, use: SourceUse, paths: readonly string[] | undefined): void {
  const { volume } = building;
  const what = `the volume ${JSON.stringify(volume.name)}`;
  const unread = "whose bytes cannot be read before the pod runs";
  const detail = nameless.has(use.kind)
    ? `${what} is of the kind ${use.kind}, ${unread}`
    : `${what} takes files from ${use.kind} ${use.name}, ${unread}`;
  const state = { state: "unverifiable", kind: use.kind, detail } as const;
  addUnreadable(building, paths, { use, state, severity: "unreadable" });
}

const addMissing = (
  building: Building,
  use: SourceUse,
  paths: readonly string[] | undefined,
  state: UnreadablePath["state"],
): void => addUnreadable(building, paths, { use, state, severity: "nothing" });

const missing = (detail: string): Unavailable => unavailable("SOURCE_UNAVAILABLE", detail);

type ObjectPart = Extract<VolumePart, { readonly from: "object" }>;

function addObject(building: Building, part: ObjectPart, use: SourceUse, object: VolumeObject): void {
  const what = `${part.kind} ${object.namespace}/${object.name}`;
  const { optional } = part;
  if (part.items === undefined) {
    for (const [key, file] of object.files) {
      addKey(building, { key, file, use, optional, what });
      addDoubt(building, { key, path: key, use, what }, object);
    }
    return;
  }
  for (const { key, path, spelling } of part.items) {
    const file = object.files.get(key);
    if (file !== undefined) {
      place(building, { path, spelling, file, use, optional });
      addDoubt(building, { key, path, use, what }, object);
    } else if (object.keys?.has(key) === false) {
      // Whether the object has the key is not known: another volume of the same object asked for others only.
      addMissing(building, use, [path], missing(`the key ${JSON.stringify(key)} of ${what} was not read`));
    } else if (!part.optional) {
      const detail = `${what} has no key ${JSON.stringify(key)}, which the volume's items name; keep it there, or take it out of items`;
      addMissing(building, use, [path], missing(detail));
    }
  }
}

/** Marks a file whose stored bytes may be others than those that were read. */
function addDoubt(
  building: Building,
  { key, path, use, what }: { readonly [part in "key" | "path" | "what"]: string } & Pick<VolumeFile, "use">,
  { doubtful }: VolumeObject,
): void {
  if (doubtful?.has(key) !== true) return;
  const detail = `the key ${JSON.stringify(key)} of ${what} holds U+FFFD, which may stand for any bytes; put it into binaryData, as "skill-admission package" does`;
  addUnreadable(building, [path], {
    use,
    state: unavailable("SOURCE_MALFORMED", detail),
    severity: "unreadable",
  });
}

/** An API server accepts no such keys; a folder of manifests may hold anything. */
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
  malformed(building, use, detail);
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
    malformed(building, use, detail);
    if (under !== undefined && under.name !== use.name) malformed(building, under, detail);
  }
  building.spellings.set(path, spelling);
  building.files.set(path, added);
  if (added.optional && under !== undefined && under.name !== use.name) {
    const detail = `${use.kind} ${use.name} is optional and lies over a file of ${under.name}, which its deletion would uncover; take out "optional"`;
    const state = inDoubt(building.volume.kind, detail);
    addUnreadable(building, [path], { use, state, severity: "unreadable" });
  }
}

/** The kubelet cannot write a file and a folder of one name: which of them fails is chance. */
function assertNoFileAboveFile(building: Building): void {
  for (const [path, { use }] of building.files) {
    for (let slash = path.indexOf("/"); slash !== -1; slash = path.indexOf("/", slash + 1)) {
      const folder = path.slice(0, slash);
      if (!building.files.has(folder)) continue;
      const detail = `${building.volume.field} makes ${JSON.stringify(folder)} both a file and a folder; rename one`;
      malformed(building, use, detail);
      return;
    }
  }
}

/**
 * The kubelet makes a missing `subPath` as an empty folder. Within a folder of the volume's own files this makes it
 * rewrite the volume while containers have a part of it mounted.
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
  const state = inDoubt(volume.kind, detail);
  addUnreadable(building, undefined, { use: first.use, state, severity: "unreadable" });
}
