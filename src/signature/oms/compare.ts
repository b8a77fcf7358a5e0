import type { SkillFile } from "../../skill/skill.ts";
import type { Difference } from "../compare.ts";
import { fileDigest, omsDigest } from "./digest.ts";
import type { ListedPiece, OmsManifest } from "./manifest.ts";

/** Result of comparing a tree with a signed list. */
export interface Comparison {
  /** Modified and missing files in listed order, then added ones sorted by path. */
  readonly differences: readonly Difference[];
  /** Files outside the list that the signature tells verifiers to ignore. */
  readonly unlisted: readonly string[];
}

type Files = ReadonlyMap<string, SkillFile>;

function compareWhole(
  path: string,
  file: SkillFile,
  digest: string,
  { hash }: OmsManifest,
): Difference | undefined {
  const found = fileDigest(hash, file);
  if (found === digest) return undefined;
  return { path, change: "modified", signed: `${hash}:${digest}`, found: `${hash}:${found}` };
}

/**
 * Difference of a sharded file, with the digests of the first shard that differs. A file that only grew has no such
 * shard, so no digests.
 */
function compareShards(
  path: string,
  file: SkillFile,
  pieces: readonly ListedPiece[],
  { hash }: OmsManifest,
): Difference | undefined {
  for (const { range, digest } of pieces) {
    if (range === undefined) continue;
    const found = omsDigest(hash, file.bytes.subarray(range.start, range.end));
    if (found !== digest || range.end > file.size) {
      return { path, change: "modified", signed: `${hash}:${digest}`, found: `${hash}:${found}` };
    }
  }
  return pieces.at(-1)?.range?.end === file.size ? undefined : { path, change: "modified" };
}

function compareListed(
  path: string,
  pieces: readonly ListedPiece[],
  files: Files,
  manifest: OmsManifest,
): Difference | undefined {
  const file = files.get(path);
  const [first] = pieces;
  if (file === undefined || first === undefined) {
    const whole = pieces.length === 1 && first !== undefined;
    return { path, change: "missing", ...(whole ? { signed: `${manifest.hash}:${first.digest}` } : {}) };
  }
  return manifest.sharded
    ? compareShards(path, file, pieces, manifest)
    : compareWhole(path, file, first.digest, manifest);
}

/**
 * Compares a tree with the signed list: every listed file must be there and equal, and no other but the signature
 * file, ignored paths and, with shards, empty files.
 * @param signaturePath path of the signature file in the tree
 */
export function compareTree(files: Files, signaturePath: string, manifest: OmsManifest): Comparison {
  const differences: Difference[] = [];
  for (const [path, pieces] of manifest.files) {
    const difference = compareListed(path, pieces, files, manifest);
    if (difference !== undefined) differences.push(difference);
  }
  const unlisted: string[] = [];
  const added: string[] = [];
  for (const [path, file] of files) {
    if (path === signaturePath || manifest.files.has(path)) continue;
    const leftOut = manifest.ignored.covers(path) || (manifest.sharded && file.size === 0);
    (leftOut ? unlisted : added).push(path);
  }
  for (const path of added.sort()) {
    differences.push({
      path,
      change: "added",
      found: `${manifest.hash}:${omsDigestOf(files, path, manifest)}`,
    });
  }
  return { differences, unlisted: unlisted.sort() };
}

const omsDigestOf = (files: Files, path: string, { hash }: OmsManifest): string => {
  const file = files.get(path);
  return file === undefined ? "" : fileDigest(hash, file);
};
