import { ancestorsOf, below, isBelow, parentOf } from "../pod/container-path.ts";
import type { Place } from "../../skill/reference.ts";
import type { Layer, Readable, SeenFile, SeenUnreadablePath } from "../pod/layer.ts";
import { declaresSkill } from "../../skill/declares-skill.ts";
import { isMarkdown, isSkillFile } from "../../skill/skill-file.ts";
import type { SkillRoots } from "./skill-roots.ts";
import { isFlat } from "./settled-volume.ts";

/** The files and unreadable paths of one skill. */
export interface SkillPart {
  /** Absolute path of the skill's folder; for a single file in a skill root, of that file. */
  readonly path: string;
  readonly files: SeenFile[];
  /** With the reason why each counts in its state. */
  readonly unreadable: SeenUnreadablePath[];
  /** Layers that contribute to it. */
  readonly layers: Set<Layer>;
}

/** Finds the topmost of the given folders at or above a folder; each folder is visited once. */
function topmostIn(folders: ReadonlySet<string>): (folder: string) => string | undefined {
  const known = new Map<string, string | undefined>();
  const topmost = (folder: string): string | undefined => {
    if (folders.size === 0) return undefined;
    if (known.has(folder)) return known.get(folder);
    const parent = parentOf(folder);
    const above = parent === undefined ? undefined : topmost(parent);
    const found = above ?? (folders.has(folder) ? folder : undefined);
    known.set(folder, found);
    return found;
  };
  return topmost;
}

const folderOf = (path: string): string => parentOf(path) ?? "/";

/** Whether an unreadable path can be a file that makes its folder a skill. */
const isUnknownFile = ({ severity, path, isFile }: SeenUnreadablePath): boolean =>
  severity !== "nothing" && (isFile || isMarkdown(path));

/**
 * Groups visible files into skills: a folder that holds SKILL.md, with everything below it; outside of such folders,
 * each child of a skill root; elsewhere, a folder with a Markdown file that declares a skill. Other files, such as a
 * program's configuration, belong to no skill.
 */
export function groupIntoSkills({ files, unreadable }: Readable, roots: SkillRoots): readonly SkillPart[] {
  const unknown = unreadable.filter(isUnknownFile);
  const skillFolders = [...files, ...unknown]
    .filter(({ path }) => isSkillFile(path))
    .map(({ path }) => folderOf(path));
  const skillFolderOf = topmostIn(new Set(skillFolders));
  const parts = new Map<string, SkillPart>();

  const isElsewhere = (path: string): boolean =>
    skillFolderOf(folderOf(path)) === undefined && memberOfRoot(path, roots) === undefined;
  const declared = [
    ...files.filter(({ path, file }) => isMarkdown(path) && isElsewhere(path) && declaresSkill(file)),
    ...unknown.filter(({ path }) => isMarkdown(path) && isElsewhere(path)),
  ];
  const declaredFolderOf = topmostIn(new Set(declared.map(({ path }) => folderOf(path))));

  for (const file of files) {
    const folder = folderOf(file.path);
    const path = skillFolderOf(folder) ?? memberOfRoot(file.path, roots) ?? declaredFolderOf(folder);
    if (path !== undefined) addFile(partAt(parts, path), file);
  }
  const besideOf = placesBeside([...parts.values()], roots);
  for (const one of unreadable) {
    const folder = one.isFile ? folderOf(one.path) : one.path;
    const skill = skillFolderOf(folder) ?? memberOfRoot(one.path, roots) ?? declaredFolderOf(folder);
    const places =
      skill === undefined ? standalonePlaces(one, roots, besideOf) : [within(one.path, skill, roots)];
    for (const place of places) addUnreadable(partAt(parts, skill ?? one.path), one, place);
  }
  return [...parts.values()];
}

/** Adds an unreadable path with the reason why it counts; `always` if no place is needed for that. */
function addUnreadable(part: SkillPart, seen: SeenUnreadablePath, place: Place | "always"): void {
  const { state } = seen;
  const placed = place === "always" || state.state !== "unverifiable" ? state : { ...state, place };
  part.unreadable.push({ ...seen, state: placed });
  part.layers.add(seen.layer);
}

function partAt(parts: Map<string, SkillPart>, path: string): SkillPart {
  const present = parts.get(path);
  if (present !== undefined) return present;
  const part: SkillPart = { path, files: [], unreadable: [], layers: new Set() };
  parts.set(path, part);
  return part;
}

function addFile(part: SkillPart, file: SeenFile): void {
  part.files.push(file);
  part.layers.add(file.layer);
}

/** The child of a skill root through which a path leads, as an absolute path. */
function memberOfRoot(path: string, roots: SkillRoots): string | undefined {
  const root = roots.rootOf(folderOf(path));
  if (root === undefined || !isBelow(root, path)) return undefined;
  const rest = below(root, path);
  const slash = rest.indexOf("/");
  return slash === -1 ? path : path.slice(0, path.length - rest.length + slash);
}

const partOf = (path: string, skill: string): string =>
  path === skill ? "it is a skill's folder" : `it is a part of the skill ${skill}`;

/** The place of an unreadable path inside a skill, or a member of a root. */
function within(path: string, skill: string, roots: SkillRoots): Place {
  const root = roots.rootOf(path);
  return {
    rule: "root",
    why:
      root === undefined
        ? partOf(path, skill)
        : root === path
          ? "it is a skill root"
          : `${root} is a skill root`,
  };
}

/** The places for which an unreadable path outside of skills counts: a failed read always does. */
function standalonePlaces(
  one: SeenUnreadablePath,
  roots: SkillRoots,
  besideOf: (path: string) => Place | undefined,
): readonly (Place | "always")[] {
  const { path, severity, isFile, layer } = one;
  if (severity === "failed") return ["always"];
  if (roots.rootOf(path) === path) return [{ rule: "root", why: "it is a skill root" }];
  if (isFile) return [];
  const beside = severity === "nothing" ? undefined : besideOf(path);
  // Keys hold no folders: what shows keys only brings in no root below its mount.
  const above = layer.mount !== undefined && isFlat(layer.mount.volume) ? [] : roots.placesAbove(path);
  if (beside === undefined || above.some(({ rule }) => rule === "above")) return above;
  return [beside, ...above.filter(({ rule }) => rule !== "agentPrefix")];
}

/**
 * The place of a folder beside a readable skill, or around the folder that holds one: agents that look into that
 * folder find what lies beside too.
 */
function placesBeside(found: readonly SkillPart[], roots: SkillRoots): (path: string) => Place | undefined {
  const holders = new Map<string, string>();
  const around = new Map<string, string>();
  for (const { path, files } of found) {
    const holder = folderOf(path);
    if (files.length === 0 || roots.isWide(holder) || holders.has(holder)) continue;
    holders.set(holder, path);
    for (const folder of [holder, ...ancestorsOf(holder)]) if (!around.has(folder)) around.set(folder, path);
  }
  return (path) => {
    const inside = around.get(path);
    const beside = holders.get(folderOf(path));
    const why =
      inside === undefined ? `it lies beside the skill ${beside ?? ""}` : `the skill ${inside} lies below it`;
    return (inside ?? beside) === undefined
      ? undefined
      : { rule: "above", why, remedy: "mount it elsewhere" };
  };
}
