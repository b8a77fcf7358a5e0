import type { Json } from "../../text/json.ts";
import { pathFault } from "../../skill/path.ts";
import { malformed } from "../signature-error.ts";
import { quoted } from "../../text/printable.ts";

/** Paths at the skill's root that verifiers always ignore. */
export const gitPaths: readonly string[] = [".git", ".gitattributes", ".github", ".gitignore"];

/** Whether a file is one of these paths, or below one. */
export const isGitPath = (path: string): boolean => gitPaths.includes(path.split("/", 1)[0] ?? "");

const maxIgnored = 1_000;

/** Paths that the signed list does not cover. */
export interface IgnoredPaths {
  /** Whether the path is ignored, or below an ignored one. Whole components count: `a` covers `a/b`, not `ab`. */
  readonly covers: (path: string) => boolean;
}

/**
 * Reads `serialization.ignore_paths`: clean paths below the skill's folder, no patterns. A path that ignores
 * everything (`.`, an empty text) or leaves the folder is refused; an absent list is empty.
 * @throws SignatureError MANIFEST_MALFORMED
 */
export function parseIgnorePaths(value: Json | undefined): readonly string[] {
  if (value === undefined) return [];
  if (!Array.isArray(value)) throw malformed("serialization.ignore_paths is not a list");
  const list = value as readonly Json[];
  if (list.length > maxIgnored)
    throw malformed(`serialization.ignore_paths has more than ${maxIgnored} entries`);
  return list.map((path) => {
    if (typeof path !== "string") throw malformed("serialization.ignore_paths has an entry that is not text");
    const fault = path === "." ? "ignores everything" : pathFault(path);
    if (fault !== undefined) throw malformed(`the ignored path ${quoted(path)} ${fault}`);
    return path;
  });
}

/** Combines the declared paths with those of git. A look-up's time does not depend on their number. */
export function ignoredPaths(declared: readonly string[]): IgnoredPaths {
  const ignored = new Set([...gitPaths, ...declared]);
  return {
    covers(path) {
      for (let end = path.indexOf("/"); end !== -1; end = path.indexOf("/", end + 1)) {
        if (ignored.has(path.slice(0, end))) return true;
      }
      return ignored.has(path);
    },
  };
}
