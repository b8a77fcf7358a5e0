import { hash } from "node:crypto";
import { blake3 } from "@noble/hashes/blake3.js";
import { sha256, sha256Hex, type Sha256 } from "../../skill/digest.ts";
import type { SkillFile } from "../../skill/skill.ts";

/** Digest algorithms of a manifest, named as in `hash_type`. */
export type OmsHash = "sha256" | "blake2b" | "blake3";

/** Hex digits of each digest: BLAKE2b has its full 64 bytes, the others have 32. */
export const hexLength: Readonly<Record<OmsHash, number>> = { sha256: 64, blake2b: 128, blake3: 64 };

export const isOmsHash = (name: string): name is OmsHash => Object.hasOwn(hexLength, name);

/** Digest of bytes, lower-case hex. */
export function omsDigest(algorithm: OmsHash, bytes: Uint8Array): string {
  switch (algorithm) {
    case "sha256":
      return sha256Hex(bytes);
    case "blake2b":
      return hash("blake2b512", bytes, "hex");
    case "blake3":
      return Buffer.from(blake3(bytes)).toString("hex");
  }
}

/** Digest of a whole file, lower-case hex. SHA-256 is computed once per file. */
export const fileDigest = (algorithm: OmsHash, file: SkillFile): string =>
  algorithm === "sha256" ? file.sha256 : omsDigest(algorithm, file.bytes);

/**
 * SHA-256 over the concatenated raw digests, **in listed order**: signers sort differently (by path components, by
 * code points), so sorting anew would break real signatures. Names are not included.
 * @param digests lower-case hex
 */
export const rootDigestOf = (digests: readonly string[]): Sha256 =>
  sha256(Buffer.from(digests.join(""), "hex"));

/**
 * Orders paths by their components, like the reference signer: `a`, `a/b`, `a-b/c`, `a.md`. UTF-8 sorts like code
 * points, and no path holds a zero byte.
 */
export function comparePaths(one: string, other: string): number {
  return Buffer.compare(Buffer.from(one.replaceAll("/", "\0")), Buffer.from(other.replaceAll("/", "\0")));
}

/** Root digest of a signature over all these files (method files, SHA-256). */
export function treeRootDigest(files: ReadonlyMap<string, SkillFile>): Sha256 {
  const paths = [...files.keys()].sort(comparePaths);
  return rootDigestOf(paths.map((path) => files.get(path)?.sha256 ?? ""));
}
