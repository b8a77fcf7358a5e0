import { sha256, type Sha256 } from "../skill/digest.ts";
import type { SkillFile } from "../skill/skill.ts";

/**
 * SHA-256 over the raw bytes of digests, one after the other **as listed**: signers sort differently (by path
 * components, by code points), so that sorting anew breaks real signatures. Names are not in it.
 * @param digests lower-case hex
 */
export const rootDigestOf = (digests: readonly string[]): Sha256 =>
  sha256(Buffer.from(digests.join(""), "hex"));

/**
 * Orders paths by their components, as the reference's signer does: `a`, `a/b`, `a-b/c`, `a.md`. UTF-8 sorts like
 * code points, and no path holds a zero byte.
 */
export function comparePaths(one: string, other: string): number {
  return Buffer.compare(Buffer.from(one.replaceAll("/", "\0")), Buffer.from(other.replaceAll("/", "\0")));
}

/** The root digest that a signature over all of these files would have (files, SHA-256). */
export function treeRootDigest(files: ReadonlyMap<string, SkillFile>): Sha256 {
  const paths = [...files.keys()].sort(comparePaths);
  return rootDigestOf(paths.map((path) => files.get(path)?.sha256 ?? ""));
}
