import { below, isBelow, parentOf } from "../pod/container-path.ts";
import { baseName } from "../../skill/path.ts";
import type { Layer, Readable, SeenFile, SeenUnreadablePath } from "../pod/container-view.ts";
import { declaresSkill, isMarkdown, isSkillFile } from "../../skill/skill-file.ts";
import type { SkillRoots } from "./skill-roots.ts";

/** Everything that a container sees of one skill. */
export interface SkillPart {
  /** Absolute path of the skill's folder; of a file that lies in a root by itself, of that file. */
  readonly path: string;
  /** By path relative to the folder. */
  readonly files: Map<string, SeenFile>;
  readonly unreadable: SeenUnreadablePath[];
  /** What contributes to it. */
  readonly layers: Set<Layer>;
}

/** Answers for each folder the topmost of the given folders at or above it; each folder is walked once. */
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

/** May this mark stand for a file that makes its folder a skill. */
const isUnknownFile = ({ severity, path, isFile }: SeenUnreadablePath): boolean =>
  severity !== "nothing" && (isFile || isMarkdown(path));

/**
 * Cuts what a container sees into skills. A folder that holds SKILL.md is one, with all that is below it; what lies at a skill
 * root outside of such folders is one per name there; a Markdown file elsewhere that declares a skill makes its folder one.
 * Everything else, such as a program's configuration, is none.
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

/** The name directly below a skill root through which a path leads, as an absolute path. */
function memberOfRoot(path: string, roots: SkillRoots): string | undefined {
  const root = roots.rootOf(folderOf(path));
  if (root === undefined || !isBelow(root, path)) return undefined;
  const rest = below(root, path);
  const slash = rest.indexOf("/");
  return slash === -1 ? path : path.slice(0, path.length - rest.length + slash);
}

/** Does something unknown matter by itself: it is a skill root, lies above one, or could not be read at all. */
function standaloneSkillPath(
  { path, severity, isFile }: SeenUnreadablePath,
  roots: SkillRoots,
): string | undefined {
  if (severity === "failed") return path;
  return roots.rootOf(path) === path || (!isFile && roots.isAbove(path)) ? path : undefined;
}
