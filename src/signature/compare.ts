import type { SkillFile } from "../skill/skill.ts";

/** A path at which the tree differs from the signed list. Digests carry their algorithm: `sha256:…`, `blake2b:…`. */
export interface Difference {
  readonly path: string;
  readonly change: "modified" | "missing" | "added";
  readonly signed?: string;
  readonly found?: string;
}

type Files = ReadonlyMap<string, SkillFile>;

/**
 * Compares the tree with the listed files: missing and modified ones, in listed order.
 * @param listing path → SHA-256, lower-case hex
 */
export function listedDifferences(files: Files, listing: ReadonlyMap<string, string>): readonly Difference[] {
  const differences: Difference[] = [];
  for (const [path, digest] of listing) {
    const [signed, file] = [`sha256:${digest}`, files.get(path)];
    if (file === undefined) differences.push({ path, change: "missing", signed });
    else if (file.sha256 !== digest)
      differences.push({ path, change: "modified", signed, found: `sha256:${file.sha256}` });
  }
  return differences;
}

/** Unexpected files of the tree, sorted by path. */
export const addedDifferences = (
  files: Files,
  isExpected: (path: string) => boolean,
): readonly Difference[] =>
  [...files]
    .filter(([path]) => !isExpected(path))
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([path, { sha256 }]) => ({ path, change: "added", found: `sha256:${sha256}` }));
