import { below, isBelow, joinPath } from "./pod/container-path.ts";
import type { Layer, SeenFile, SeenUnreadablePath } from "./pod/layer.ts";
import type { SkillPart } from "./roots/skills-in-view.ts";

/** Files of a skill that are seen together, with what cannot be read among them. */
export interface SkillTree {
  /** Absolute path of the skill's folder, or of its only file: the paths of the files begin with it. */
  readonly skill: string;
  /** Where they are seen: the same, or below `..data`. */
  readonly path: string;
  readonly files: readonly SeenFile[];
  readonly unreadable: readonly SeenUnreadablePath[];
}

/** The files of one mount that belong to a skill. */
interface Mounted extends Omit<SkillTree, "skill" | "path"> {
  readonly layer: Layer;
}

/** Files of each mount in doubt that are in a tree already, by the mount's path and theirs in the volume. */
type Judged = Map<Layer, Set<string>>;

/**
 * The trees by which a container's skills are judged: every file of them is in one. What is at its own path makes a tree;
 * a second one without the files that the kubelet leaves out there; and what each mount shows aside, or may show, one by
 * itself.
 */
export function treesOf(parts: readonly SkillPart[]): readonly SkillTree[] {
  const judged: Judged = new Map();
  return parts.flatMap((part) => [...treesAt(part), ...treesAside(part, judged)]);
}

function treesAt({ path, files, unreadable }: SkillPart): readonly SkillTree[] {
  const shown = files.filter(({ aside }) => !aside);
  const settled = shown.filter(({ leftOut }) => !leftOut);
  const unknown = unreadable.filter(({ aside }) => !aside);
  const isPart = settled.length > 0 && settled.length < shown.length;
  return [
    ...(isPart ? [{ skill: path, path, files: settled, unreadable: [] }] : []),
    ...(shown.length + unknown.length > 0 ? [{ skill: path, path, files: shown, unreadable: unknown }] : []),
  ];
}

function treesAside({ path, files, unreadable }: SkillPart, judged: Judged): readonly SkillTree[] {
  const layers = new Set([...files, ...unreadable].flatMap((one) => (one.aside ? [one.layer] : [])));
  if (layers.size === 0) return [];
  const filesOf = Map.groupBy(files, ({ layer }) => layer);
  const unreadableOf = Map.groupBy(unreadable, ({ layer }) => layer);
  return [...layers].flatMap((layer) => {
    const mounted = { layer, files: filesOf.get(layer) ?? [], unreadable: unreadableOf.get(layer) ?? [] };
    return layer.doubt === undefined ? [treeBehind(path, mounted)] : doubtfulTrees(path, mounted, judged);
  });
}

/** A volume that the kubelet writes shows all its files through its link `..data`, which no mount covers. */
function treeBehind(folder: string, { layer: { path, mount }, files, unreadable }: Mounted): SkillTree {
  const isWhole = mount?.volume.atomic === true && mount.subPath === "";
  if (!isWhole) return { skill: folder, path: folder, files, unreadable };
  const skill = isBelow(path, folder) ? folder : path;
  const inside = skill === path ? "" : below(path, skill);
  return { skill, path: joinPath(joinPath(path, "..data"), inside), files, unreadable };
}

/** What a mount may show, by each reading; one whose files are all in trees of others adds nothing but the doubt. */
function doubtfulTrees(skill: string, { layer, files, unreadable }: Mounted, judged: Judged): SkillTree[] {
  const done = judged.get(layer) ?? new Set();
  judged.set(layer, done);
  const at = { skill, path: skill };
  const trees: SkillTree[] = [];
  for (const [{ place }, some] of Map.groupBy(files, ({ reading }) => reading)) {
    const names = some.map(({ inside }) => `${place} ${inside}`);
    if (names.every((name) => done.has(name))) continue;
    for (const name of names) done.add(name);
    trees.push({ ...at, files: some, unreadable: [] });
  }
  const { doubt } = layer;
  const isNamed = unreadable.some(({ state }) => state.detail === doubt?.state.detail);
  const named = doubt === undefined || isNamed ? [] : [{ ...doubt, path: skill, layer, aside: true }];
  return [...trees, { ...at, files: [], unreadable: [...named, ...unreadable] }];
}
