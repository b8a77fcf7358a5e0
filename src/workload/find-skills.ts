import { skillLimits } from "../skill/limits.ts";
import { assertNoCollisions, pathFault, baseName } from "../skill/path.ts";
import { inDoubt, type SkillContent, type SkillReference, type SourceUse } from "../skill/reference.ts";
import { skillSize, type SkillFile } from "../skill/skill.ts";
import { SourceError } from "../skill/source-error.ts";
import { below, joinPath } from "./pod/container-path.ts";
import { viewOf, type Budget, type ContainerView } from "./pod/container-view.ts";
import { groupIntoSkills, type SkillPart } from "./roots/skills-in-view.ts";
import { podLimits } from "./pod/limits.ts";
import { mergeReferences } from "./merge-references.ts";
import { placesOf, type Container, type PodSpec } from "./pod/pod-spec.ts";
import { podVolumeViews } from "./pod/pod-volume-views.ts";
import { isMarkdown } from "../skill/skill-file.ts";
import { failedVariables } from "./roots/container-variables.ts";
import { hostRuntimeReferences, isHostRuntime } from "./roots/host-runtime.ts";
import { instructionsInDoubt } from "./roots/instructions-in-doubt.ts";
import { isSettled } from "./roots/settled-volume.ts";
import { commonRoots, skillRoots, type CommonRoots, type SkillRoots } from "./roots/skill-roots.ts";
import { treesOf, type SkillTree } from "./skill-trees.ts";
import type { VolumePart } from "./pod/volume.ts";
import { withWriters } from "./pod/volume-writers.ts";
import type { UnreadablePath, ReadObjects } from "./pod/volume-view.ts";

/**
 * Finds the skills that a pod's containers see, with their mounts laid over each other as the kubelet and the runtime
 * do.
 *
 * @param extraRoots absolute folders whose children are skills, beside the built-in ones
 * @param objects results of reading `objectsToRead`, by `volumeObjectKey`; a Secret that is not among them is
 * unreadable
 * @throws SourceError LIMIT_EXCEEDED if the containers see more files or skills than one pod may have
 */
export function findSkills(
  spec: PodSpec,
  extraRoots: readonly string[],
  objects: ReadObjects,
): readonly SkillReference[] {
  const common = commonRoots(extraRoots);
  if (objects.size === 0 && spec.containers.every((container) => isPlain(container, common))) return [];
  const views = podVolumeViews(spec, objects);
  const budget: Budget = { files: podLimits.seenFiles, characters: podLimits.seenPathCharacters };
  const references = mergeReferences(
    spec.containers.flatMap((container) => {
      const view = withWriters(viewOf(container, views, spec, budget), container, spec);
      const hostRuntime = hostRuntimeReferences(container, spec);
      if (view.files.length + view.unreadable.length === 0) return hostRuntime;
      const roots = skillRoots(common, container, objects);
      return [
        ...referencesIn(view, roots, container.name),
        ...hostRuntime,
        ...failedVariables(container, objects),
      ];
    }),
  );
  assertAffordable(references);
  return references;
}

/**
 * A pod of 40 KB can mount one ConfigMap at a thousand skill folders, and verifying each takes up to a tenth of a
 * second.
 */
function assertAffordable(references: readonly SkillReference[]): void {
  const skills = references.flatMap(({ content }) => (content.state === "resolved" ? [content.skill] : []));
  const bytes = skills.reduce((sum, skill) => sum + skillSize(skill), 0);
  if (skills.length <= podLimits.skills && bytes <= podLimits.mountedBytes) return;
  const most = `${podLimits.skills} skills of ${podLimits.mountedBytes / 1024 ** 2} MiB together`;
  throw new SourceError(
    "LIMIT_EXCEEDED",
    `the containers see ${skills.length} skills of ${Math.ceil(bytes / 1024 ** 2)} MiB together, more than ${most}; mount fewer`,
  );
}

/** Whether nothing that a container mounts is near a skill root or named like a skill; used if no object was read. */
function isPlain(container: Container, common: CommonRoots): boolean {
  const roots = skillRoots(common, container, nothingRead);
  const isFar = (path: string): boolean => roots.rootOf(path) === undefined && !isMarkdown(path);
  return (
    container.kubeletFiles.keys().every(isFar) &&
    container.mounts.every((mount) => {
      const { volume, fault } = mount;
      if (isHostRuntime(volume)) return false;
      const isClear = isSettled(volume) && fault === undefined;
      return placesOf(mount).every(
        (path) =>
          isFar(path) &&
          (isClear || roots.placesAbove(path).length === 0) &&
          volume.parts.every((part) => pathsOf(part).every((inside) => isFar(joinPath(path, inside)))),
      );
    })
  );
}

const nothingRead: ReadObjects = new Map();

const pathsOf = (part: VolumePart): readonly string[] =>
  (part.from === "object" ? part.items?.map(({ path }) => path) : part.paths) ?? [];

function referencesIn(view: ContainerView, roots: SkillRoots, container: string): readonly SkillReference[] {
  const parts = groupIntoSkills(view, roots);
  const skills = parts.filter(({ path, files }) => files.length > 0 || roots.rootOf(path) !== undefined);
  return [
    ...treesOf(parts).flatMap((tree) => referencesOf(tree, container)),
    ...symlinkReferences(view, skills, container),
    ...instructionsInDoubt(view, parts, roots, container),
  ];
}

/**
 * One reference for the readable files of a skill, and one for each kind of unreadable source: where one kind is
 * tolerated, nothing else is. Missing objects come first: they explain the rest.
 */
function referencesOf(tree: SkillTree, container: string): readonly SkillReference[] {
  const { path } = tree;
  const base = { name: baseName(tree.skill), path, containers: [container] };
  const states = Map.groupBy([...tree.unreadable, ...removable(tree)], ({ state }) =>
    state.state === "unverifiable"
      ? `${state.kind} ${state.place?.rule ?? ""}`
      : `${state.code} ${state.isAbsent === true} ${state.isUnread === true}`,
  );
  const references: SkillReference[] = [...states.values()].flatMap((alike) =>
    alike.slice(0, 1).map(({ state }) => ({
      ...base,
      sources: [...new Set(alike.map(({ use }) => use))],
      content: state,
    })),
  );
  if (tree.files.length === 0) return references;
  const files = new Map<string, SkillFile>();
  const sources = new Set<SourceUse>();
  for (const { path: at, file, use } of tree.files) {
    files.set(at === tree.skill ? base.name : below(tree.skill, at), file);
    sources.add(use);
  }
  const rest: SkillReference = { ...base, sources: [...sources], content: contentOf(base.name, path, files) };
  const isMissing = ({ content }: SkillReference): boolean => content.state === "unavailable";
  return [...references.filter(isMissing), rest, ...references.filter((one) => !isMissing(one))];
}

/**
 * The reason to refuse a skill that would lose a part with the deletion of an optional object: the rest is not the
 * signed skill.
 */
function removable({ files }: SkillTree): readonly Pick<UnreadablePath, "use" | "state">[] {
  const optional = files.find((file) => file.optional);
  if (optional === undefined) return [];
  const { use } = optional;
  const isAlone = files.every((file) => file.use.name === use.name);
  if (isAlone && new Set(files.map(({ layer }) => layer)).size === 1) return [];
  const part = isAlone ? "is mounted in several parts" : "holds a part of the skill only";
  const detail = `${use.kind} ${use.name} is optional and ${part}, which its deletion would take away; take out "optional"`;
  return [{ use, state: inDoubt(use.kind, detail) }];
}

function contentOf(name: string, folder: string, files: ReadonlyMap<string, SkillFile>): SkillContent {
  try {
    assertWithinLimits(folder, files);
    assertNoCollisions(files.keys());
  } catch (error) {
    if (!(error instanceof SourceError)) throw error;
    return { state: "unavailable", code: error.code, detail: error.message };
  }
  return { state: "resolved", skill: { name, files } };
}

function assertWithinLimits(folder: string, files: ReadonlyMap<string, SkillFile>): void {
  if (files.size > skillLimits.files) {
    throw new SourceError(
      "LIMIT_EXCEEDED",
      `${folder} holds more than ${skillLimits.files} files; split the skill`,
    );
  }
  let bytes = 0;
  for (const [path, file] of files) {
    const fault = pathFault(path);
    if (fault !== undefined)
      throw new SourceError(
        "SOURCE_MALFORMED",
        `the path ${JSON.stringify(path)} in ${folder} ${fault}; rename it`,
      );
    bytes += file.size;
  }
  if (bytes > skillLimits.bytes) {
    throw new SourceError(
      "LIMIT_EXCEEDED",
      `${folder} holds more than ${skillLimits.bytes / 1024 ** 2} MiB; split the skill`,
    );
  }
}

/**
 * Reports mounts whose path leads through a volume with possible symlinks: a link could put them over a skill, or what
 * they hold beside theirs into a skill root.
 */
function symlinkReferences(
  { files, symlinkRisks }: ContainerView,
  skills: readonly SkillPart[],
  container: string,
): readonly SkillReference[] {
  if (symlinkRisks.length === 0 || skills.length === 0) return [];
  const inSkills = new Set(skills.flatMap((skill) => skill.files));
  const loose = new Set(files.flatMap((file) => (inSkills.has(file) ? [] : [file.layer])));
  const found = new Map<string, SkillReference>();
  for (const { layer, through } of symlinkRisks) {
    const { path, mount } = through;
    const isOwn = !loose.has(layer) && skills.every(({ layers }) => layers.has(layer));
    if (mount === undefined || found.has(path) || isOwn) continue;
    const { kind, name } = mount.volume;
    const detail = `a link in the volume ${JSON.stringify(name)} could lead the mount at ${layer.path} onto a skill; mount it outside of ${path}`;
    const source = { kind, name, writable: !mount.volume.readOnly && !mount.readOnly };
    found.set(path, {
      name: baseName(path),
      path,
      containers: [container],
      sources: [source],
      content: inDoubt(kind, detail),
    });
  }
  return [...found.values()];
}
