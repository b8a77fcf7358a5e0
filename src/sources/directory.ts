import {
  closeSync,
  constants,
  type BigIntStats,
  type Dirent,
  fstatSync,
  lstatSync,
  openSync,
  opendirSync,
  readSync,
} from "node:fs";
import { basename, join, resolve } from "node:path";

import { skillLimits } from "../skill/limits.ts";
import { assertNoCollisions, pathFault } from "../skill/path.ts";
import { SkillFile, type Skill } from "../skill/skill.ts";
import { SourceError } from "../skill/source-error.ts";

/** Progress of a walk, against the bounds of one skill. */
interface Walk {
  readonly root: string;
  readonly files: Map<string, SkillFile>;
  folders: number;
  bytes: number;
}

const quoted = (path: string): string => JSON.stringify(path);

const malformed = (message: string): SourceError => new SourceError("SOURCE_MALFORMED", message);

/** Error for a folder above a bound. Files of a repository count too, so the message names them where there are any. */
function tooLarge(walk: Walk, what: string): SourceError {
  const repository = [...walk.files.keys()].some((path) => path.startsWith(".git/"));
  const remedy = repository
    ? `it holds a .git folder; check a clean copy: git archive HEAD | tar -x -C COPY`
    : `leave out what does not belong to the skill`;
  return new SourceError("LIMIT_EXCEEDED", `the folder ${quoted(walk.root)} has ${what}: ${remedy}`);
}

const reasons: Readonly<Record<string, string>> = {
  ENOENT: "it does not exist",
  ENOTDIR: "it is not a folder",
  EACCES: "permission denied",
  EPERM: "permission denied",
  ELOOP: "it became a symbolic link while it was read",
  EMFILE: "too many open files",
};

/** Runs a file system call; its error becomes a SourceError with the path. */
function attempt<T>(path: string, call: () => T): T {
  try {
    return call();
  } catch (cause) {
    if (cause instanceof SourceError) throw cause;
    const { code = "", message } = cause as NodeJS.ErrnoException;
    throw new SourceError("SOURCE_UNAVAILABLE", `cannot read ${quoted(path)}: ${reasons[code] ?? message}`, {
      cause,
    });
  }
}

const sameState = (before: BigIntStats, after: BigIntStats): boolean =>
  before.dev === after.dev &&
  before.ino === after.ino &&
  before.size === after.size &&
  before.mtimeNs === after.mtimeNs &&
  before.ctimeNs === after.ctimeNs;

const changed = (path: string): SourceError =>
  new SourceError(
    "SOURCE_UNAVAILABLE",
    `${quoted(path)} changed while it was read; try again when nothing writes to it`,
  );

/** Reads exactly the bytes of the file's size; one more or less means that somebody is writing. */
function readBytes(descriptor: number, path: string, size: number): Uint8Array {
  const buffer = Buffer.allocUnsafeSlow(size + 1);
  let length = 0;
  while (length < buffer.length) {
    const read = readSync(descriptor, buffer, length, buffer.length - length, null);
    if (read === 0) break;
    length += read;
  }
  if (length !== size) throw changed(path);
  return new Uint8Array(buffer.buffer, 0, size);
}

function readFile(walk: Walk, absolute: string, seen: BigIntStats): SkillFile {
  if (walk.files.size >= skillLimits.files) throw tooLarge(walk, `more than ${skillLimits.files} files`);
  if (seen.size > BigInt(skillLimits.bytes - walk.bytes)) {
    throw tooLarge(walk, `more than ${skillLimits.bytes / 1024 ** 2} MiB`);
  }
  // Neither follows a link nor waits for a pipe, should the file be replaced by one.
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  const descriptor = openSync(absolute, flags);
  try {
    if (!sameState(seen, fstatSync(descriptor, { bigint: true }))) throw changed(absolute);
    const bytes = readBytes(descriptor, absolute, Number(seen.size));
    if (!sameState(seen, fstatSync(descriptor, { bigint: true }))) throw changed(absolute);
    walk.bytes += bytes.byteLength;
    return new SkillFile(bytes);
  } finally {
    closeSync(descriptor);
  }
}

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * Path below the skill's folder, from a name as the file system stores it.
 * @throws SourceError SOURCE_MALFORMED where it is no UTF-8 or no path of a skill
 */
function relativePath(walk: Walk, parent: string, name: Uint8Array): string {
  let decoded: string;
  try {
    decoded = utf8.decode(name);
  } catch (cause) {
    const where = quoted(join(walk.root, parent));
    throw new SourceError("SOURCE_MALFORMED", `a file name in ${where} is not UTF-8; rename it`, { cause });
  }
  const path = parent === "" ? decoded : `${parent}/${decoded}`;
  const fault = pathFault(path);
  if (fault !== undefined)
    throw malformed(`the path ${quoted(path)} in ${quoted(walk.root)} ${fault}; rename it`);
  return path;
}

function assertNoVolume(walk: Walk, parent: string, path: string): void {
  if (parent !== "" || path !== "..data") return;
  throw malformed(
    `${quoted(walk.root)} is a ConfigMap volume as the kubelet lays it out (..data): its files are links that can ` +
      `be exchanged at any time. Check the pod instead (skill-admission apply), or a copy: cp -rL ${walk.root}/* COPY`,
  );
}

function readEntry(walk: Walk, path: string): "folder" | "file" {
  const absolute = join(walk.root, path);
  return attempt(absolute, () => {
    const state = lstatSync(absolute, { bigint: true });
    if (state.isSymbolicLink()) {
      throw malformed(
        `${quoted(absolute)} is a symbolic link; a skill holds regular files only: put the file itself there`,
      );
    }
    if (state.isDirectory()) return "folder";
    if (!state.isFile()) {
      throw malformed(`${quoted(absolute)} is neither a file nor a folder; take it out of the skill`);
    }
    walk.files.set(path, readFile(walk, absolute, state));
    return "file";
  });
}

/** Names in one folder, at most as many as a skill may hold. */
function readNames(walk: Walk, parent: string): readonly string[] {
  const absolute = join(walk.root, parent);
  return attempt(absolute, () => {
    const names: string[] = [];
    // The declared type has text only; with this encoding the names are bytes.
    const folder = opendirSync(absolute, { encoding: "buffer" as BufferEncoding });
    try {
      for (let entry = folder.readSync(); entry !== null; entry = folder.readSync()) {
        const path = relativePath(walk, parent, (entry as unknown as Dirent<Buffer>).name);
        assertNoVolume(walk, parent, path);
        names.push(path);
        if (names.length > skillLimits.files) throw tooLarge(walk, `more than ${skillLimits.files} files`);
      }
    } finally {
      folder.closeSync();
    }
    return names.sort();
  });
}

function readFolder(walk: Walk, parent: string): void {
  const absolute = join(walk.root, parent);
  const state = (): BigIntStats => attempt(absolute, () => lstatSync(absolute, { bigint: true }));
  const before = state();
  if (!before.isDirectory()) throw changed(absolute);
  walk.folders += 1;
  if (walk.folders > skillLimits.files) throw tooLarge(walk, `more than ${skillLimits.files} folders`);
  for (const path of readNames(walk, parent)) {
    if (readEntry(walk, path) === "folder") readFolder(walk, path);
  }
  // Detects a name added, removed or renamed meanwhile, and a folder replaced by a link.
  if (!sameState(before, state())) throw changed(absolute);
}

function assertFolder(root: string): void {
  const state = attempt(root, () => lstatSync(root));
  if (state.isSymbolicLink()) {
    throw malformed(`${quoted(root)} is a symbolic link; name the folder that it points to`);
  }
  if (!state.isDirectory()) throw malformed(`${quoted(root)} is not a folder; name the skill's folder`);
}

/**
 * Reads the skill in a folder: every regular file below it, dotfiles included, once. Bounded by `skillLimits`.
 *
 * Calls are synchronous: a command line has nothing else to do, and many small files are read several times as fast.
 * The server never calls it.
 * @throws SourceError (the promise rejects) SOURCE_MALFORMED for symbolic links, devices, and names that are not
 * UTF-8 or collide; LIMIT_EXCEEDED for too much; SOURCE_UNAVAILABLE for files that cannot be read or change meanwhile
 */
export function readSkillDirectory(directory: string): Promise<Skill> {
  return new Promise((done) => {
    const root = resolve(directory);
    const walk: Walk = { root, files: new Map(), folders: 0, bytes: 0 };
    assertFolder(root);
    readFolder(walk, "");
    assertNoCollisions(walk.files.keys());
    done({ name: basename(root), files: walk.files });
  });
}
