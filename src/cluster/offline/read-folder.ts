import type { Dirent } from "node:fs";
import { open, readdir, realpath, stat } from "node:fs/promises";
import { join, sep } from "node:path";
import { manifestLimits, ManifestError } from "./manifests.ts";

/** Bounds on a folder of manifests. */
const folderLimits = { files: 10_000, depth: 16, bytes: 256 * 1024 * 1024 } as const;

const isManifest = (name: string): boolean => /\.(?:ya?ml|json)$/.test(name);

/** Distinguishes states of a file without reading it. */
export interface FileStamp {
  readonly path: string;
  readonly stamp: string;
}

interface Walk {
  readonly root: string;
  readonly found: FileStamp[];
  bytes: number;
}

async function visit(walk: Walk, relative: string, entry: Dirent, depth: number): Promise<void> {
  // Hidden entries belong to editors and the kubelet (`..data`).
  if (entry.name.startsWith(".")) return;
  const path = relative === "" ? entry.name : `${relative}/${entry.name}`;
  const full = join(walk.root, path);
  if (entry.isSymbolicLink()) {
    const target = await realpath(full);
    if (!target.startsWith(walk.root + sep))
      throw new ManifestError([`${path}: a link that leads out of the folder; copy the file into it`]);
  }
  const info = await stat(full);
  if (info.isDirectory()) {
    // Links to folders are not followed: they could form a circle.
    if (entry.isSymbolicLink()) return;
    if (depth >= folderLimits.depth)
      throw new ManifestError([`${path}: folders nested deeper than ${folderLimits.depth} levels`]);
    await visitFolder(walk, path, depth + 1);
    return;
  }
  if (!isManifest(entry.name) || !info.isFile()) return;
  if (info.size > manifestLimits.bytes)
    throw new ManifestError([`${path}: larger than ${manifestLimits.bytes} bytes`]);
  walk.bytes += info.size;
  walk.found.push({ path, stamp: `${info.dev}:${info.ino}:${info.size}:${info.mtimeMs}:${info.ctimeMs}` });
  if (walk.found.length > folderLimits.files || walk.bytes > folderLimits.bytes) {
    throw new ManifestError([
      `${walk.root} holds more than ${folderLimits.files} manifest files or ${folderLimits.bytes} bytes of them`,
    ]);
  }
}

async function visitFolder(walk: Walk, relative: string, depth: number): Promise<void> {
  const entries = await readdir(join(walk.root, relative), { withFileTypes: true });
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    await visit(walk, relative, entry, depth);
  }
}

const reasons: ReadonlyMap<unknown, string> = new Map([
  ["ENOENT", "does not exist (ENOENT)"],
  ["EACCES", "may not be read (EACCES)"],
]);

/**
 * Real path of the folder.
 * @throws ManifestError where it is no readable folder
 */
async function rootOf(folder: string): Promise<string> {
  try {
    const root = await realpath(folder);
    if ((await stat(root)).isDirectory()) return root;
  } catch (cause) {
    const reason = reasons.get((cause as NodeJS.ErrnoException).code);
    if (reason === undefined) throw cause;
    throw new ManifestError([`the folder ${folder} ${reason}`], { cause });
  }
  throw new ManifestError([`${folder} is not a folder`]);
}

/**
 * Manifest files below a folder (`.yaml`, `.yml`, `.json`; hidden ones left out), sorted by name.
 * @throws ManifestError where it is no folder or exceeds a bound, or the file system's own error
 */
export async function listManifestFiles(root: string): Promise<readonly FileStamp[]> {
  const walk: Walk = { root: await rootOf(root), found: [], bytes: 0 };
  await visitFolder(walk, "", 0);
  return walk.found;
}

const utf8 = new TextDecoder("utf-8", { fatal: true });

/**
 * Reads one file as text, bounded also while the file grows.
 * @throws ManifestError where it is too large, changes meanwhile, or is not UTF-8
 */
export async function readManifestFile(root: string, path: string): Promise<string> {
  const file = await open(join(root, path), "r");
  try {
    const buffer = Buffer.allocUnsafe(Math.min((await file.stat()).size, manifestLimits.bytes) + 1);
    let length = 0;
    while (length < buffer.length) {
      const { bytesRead } = await file.read(buffer, length, buffer.length - length, length);
      if (bytesRead === 0) break;
      length += bytesRead;
    }
    if (length === buffer.length)
      throw new ManifestError([`${path}: changed while it was read, or too large`]);
    return utf8.decode(buffer.subarray(0, length));
  } catch (cause) {
    if (cause instanceof TypeError) throw new ManifestError([`${path}: not UTF-8`], { cause });
    throw cause;
  } finally {
    await file.close();
  }
}
