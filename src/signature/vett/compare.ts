import { sha256 } from "../../skill/digest.ts";
import type { Skill } from "../../skill/skill.ts";
import { addedDifferences, type Difference } from "../compare.ts";
import { vettFileNames, type VettManifest } from "./manifest.ts";

/** A tree held against the signed files. */
export interface VettComparison {
  /** Changed and missing as listed, then added by name. */
  readonly differences: readonly Difference[];
  /** The analysis, where there is one: nobody signed it. */
  readonly unlisted: readonly string[];
}

/** Every listed file there and equal, and nothing else there but the registry's documents. */
export function compareTree({ files }: Skill, manifest: VettManifest): VettComparison {
  const differences: Difference[] = [];
  const listed = new Set<string>(Object.values(vettFileNames));
  for (const { path, content } of manifest.files) {
    listed.add(path);
    const file = files.get(path);
    // Bytes are compared, not digests: the content is at hand, and comparing is much cheaper.
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
