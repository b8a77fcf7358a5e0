import { sha256 } from "../../skill/digest.ts";
import type { Skill } from "../../skill/skill.ts";
import { addedDifferences, type Difference } from "../compare.ts";
import { vettFileNames, type VettManifest } from "./manifest.ts";

/** Result of comparing a tree with the signed files. */
export interface VettComparison {
  /** Modified and missing files in listed order, then added ones sorted by path. */
  readonly differences: readonly Difference[];
  /** The analysis, if present: it is not signed. */
  readonly unlisted: readonly string[];
}

/**
 * Compares a tree with the signed files: every listed file must be there and equal, and no other but the registry's
 * documents.
 */
export function compareTree({ files }: Skill, manifest: VettManifest): VettComparison {
  const differences: Difference[] = [];
  const listed = new Set<string>(Object.values(vettFileNames));
  for (const { path, content } of manifest.files) {
    listed.add(path);
    const file = files.get(path);
    // Comparing bytes is much cheaper than digests: the signed content is at hand.
    if (file !== undefined && Buffer.from(content).equals(file.bytes)) continue;
    const signed = sha256(content);
    if (file === undefined) differences.push({ path, change: "missing", signed });
    else differences.push({ path, change: "modified", signed, found: `sha256:${file.sha256}` });
  }
  return {
    differences: [...differences, ...addedDifferences(files, (path) => listed.has(path))],
    unlisted: [vettFileNames.analysis].filter((path) => files.has(path)),
  };
}
