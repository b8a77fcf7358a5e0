import { below, isBelow, parentOf } from "../pod/container-path.ts";
import { baseName } from "../../skill/path.ts";
import type { Layer, Readable, SeenFile, SeenUnreadablePath } from "../pod/container-view.ts";
import { declaresSkill } from "../../skill/declares-skill.ts";
import { isMarkdown, isSkillFile } from "../../skill/skill-file.ts";
import type { SkillRoots } from "./skill-roots.ts";

/** The visible files and unreadable paths of one skill. */
export interface SkillPart {
  /** Absolute path of the skill's folder; for a single file in a skill root, of that file. */
  readonly path: string;
  /** By path relative to the folder. */
  readonly files: Map<string, SeenFile>;
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
  for (const place of unreadable) {
    const folder = place.isFile ? folderOf(place.path) : place.path;
    const skill = skillFolderOf(folder) ?? memberOfRoot(place.path, roots) ?? declaredFolderOf(folder);
    const path = skill ?? standaloneSkillPath(place, roots);
    if (path === undefined) continue;
    const part = partAt(parts, path);
    part.unreadable.push(place);
    part.layers.add(place.layer);
  }
  return [...parts.values()];
}

function partAt(parts: Map<string, SkillPart>, path: string): SkillPart {
  const present = parts.get(path);
  if (present !== undefined) return present;
  const part: SkillPart = { path, files: new Map(), unreadable: [], layers: new Set() };
  parts.set(path, part);
  return part;
}

function addFile(part: SkillPart, file: SeenFile): void {
  const relative = file.path === part.path ? baseName(file.path) : below(part.path, file.path);
  part.files.set(relative, file);
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

/** The path of an unreadable place that counts by itself: a skill root, a folder above one, or a failed read. */
function standaloneSkillPath(
  { path, severity, isFile }: SeenUnreadablePath,
  roots: SkillRoots,
): string | undefined {
  if (severity === "failed") return path;
  return roots.rootOf(path) === path || (!isFile && roots.isAbove(path)) ? path : undefined;
}
