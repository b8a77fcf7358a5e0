import { messageOf } from "../../text/message-of.ts";
import type { ManifestObject, PlacedObject } from "../../kubernetes/manifest-object.ts";
import { indexObjects, type ObjectIndex } from "./object-index.ts";
import { ManifestError, parseManifests } from "./manifests.ts";
import { listManifestFiles, readManifestFile } from "./read-folder.ts";

interface KnownFile {
  readonly stamp: string;
  /** The objects at the last successful read; absent where there was none. */
  readonly objects?: readonly ManifestObject[];
  readonly problem?: string;
}

/** State of a folder at one moment. */
export interface FolderState {
  readonly files: ReadonlyMap<string, KnownFile>;
  readonly index: ObjectIndex;
  /** Contradictions between objects; while there are any, the index is the previous one. */
  readonly conflicts: readonly string[];
  /** All present faults; while there are any, some objects are in an earlier state. */
  readonly problems: readonly string[];
}

async function readOne(root: string, path: string, stamp: string, before?: KnownFile): Promise<KnownFile> {
  try {
    return { stamp, objects: parseManifests(await readManifestFile(root, path), path) };
  } catch (error) {
    const problem = messageOf(error);
    return before?.objects === undefined ? { stamp, problem } : { stamp, problem, objects: before.objects };
  }
}

async function readFiles(
  root: string,
  before: FolderState["files"],
): Promise<ReadonlyMap<string, KnownFile>> {
  const files = new Map<string, KnownFile>();
  for (const { path, stamp } of await listManifestFiles(root)) {
    const known = before.get(path);
    files.set(path, known?.stamp === stamp ? known : await readOne(root, path, stamp, known));
  }
  return files;
}

const placed = (files: FolderState["files"]): readonly PlacedObject[] =>
  [...files].flatMap(([file, { objects }]) => (objects ?? []).map((entry) => ({ file, entry })));

const problemsOf = (files: FolderState["files"]): readonly string[] =>
  [...files.values()].flatMap(({ problem }) => (problem === undefined ? [] : [problem]));

/**
 * Reads a folder for the first time. A file that cannot be read may hold a policy: starting without it is refused.
 * @throws ManifestError with every problem
 */
export async function readFolder(root: string): Promise<FolderState> {
  const files = await readFiles(root, new Map());
  const problems = problemsOf(files);
  if (problems.length > 0) throw new ManifestError(problems);
  return { files, index: indexObjects(placed(files)), conflicts: [], problems };
}

/**
 * Reads a folder again. Never throws and never drops: an unreadable file keeps its last objects, and a contradictory
 * folder its last index.
 */
export async function rereadFolder(root: string, before: FolderState): Promise<FolderState> {
  try {
    const files = await readFiles(root, before.files);
    const faults = problemsOf(files);
    if (sameFiles(files, before.files)) return { ...before, problems: [...faults, ...before.conflicts] };
    try {
      return { files, index: indexObjects(placed(files)), conflicts: [], problems: faults };
    } catch (error) {
      if (!(error instanceof ManifestError)) throw error;
      const conflicts = error.problems;
      return { files, index: before.index, conflicts, problems: [...faults, ...conflicts] };
    }
  } catch (error) {
    return {
      ...before,
      problems: [`${root}: ${messageOf(error)}`, ...problemsOf(before.files), ...before.conflicts],
    };
  }
}

const sameFiles = (a: FolderState["files"], b: FolderState["files"]): boolean =>
  a.size === b.size && [...a].every(([path, file]) => b.get(path) === file);
