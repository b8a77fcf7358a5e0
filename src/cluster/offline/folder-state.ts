import { messageOf } from "../../text/message-of.ts";
import type { ManifestObject, PlacedObject } from "../../kubernetes/manifest-object.ts";
import { indexObjects, type ObjectIndex } from "./object-index.ts";
import { ManifestError, parseManifests } from "./manifests.ts";
import { listManifestFiles, readManifestFile } from "./read-folder.ts";

interface KnownFile {
  readonly stamp: string;
  /** As of the last time that the file could be read; absent for a file that never could. */
  readonly objects?: readonly ManifestObject[];
  readonly problem?: string;
}

/** A folder at one moment. */
export interface FolderState {
  readonly files: ReadonlyMap<string, KnownFile>;
  readonly index: ObjectIndex;
  /** What is wrong with the objects as a whole; the index is then as it last was. */
  readonly conflicts: readonly string[];
  /** Everything that is wrong now; where it is not empty, some objects are as they last were. */
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
 * Reads a folder for the first time. Whether a file that cannot be read holds a policy is not known, so that
 * starting without it could mean starting without the policy.
 * @throws ManifestError with every problem
 */
export async function readFolder(root: string): Promise<FolderState> {
  const files = await readFiles(root, new Map());
  const problems = problemsOf(files);
  if (problems.length > 0) throw new ManifestError(problems);
  return { files, index: indexObjects(placed(files)), conflicts: [], problems };
}

/**
 * Reads a folder again. Never throws, and never forgets: a file that cannot be read any more counts as it last was,
 * and a folder that makes no sense as a whole stays as it last was.
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
