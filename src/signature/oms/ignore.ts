import type { Json } from "../../text/json.ts";
import { pathFault } from "../../skill/path.ts";
import { malformed } from "../signature-error.ts";
import { quoted } from "../../text/printable.ts";

/** What verifiers leave out at the skill's root, whatever the signature says. */
export const gitPaths: readonly string[] = [".git", ".gitattributes", ".github", ".gitignore"];

/** Is a file one of these, or in a folder of such a name. */
export const isGitPath = (path: string): boolean => gitPaths.includes(path.split("/", 1)[0] ?? "");

const maxIgnored = 1_000;

/** Paths that lie outside the signed list. */
export interface IgnoredPaths {
  /** Is the path one of them, or below one of them. Whole components count: `a` covers `a/b`, not `ab`. */
  readonly covers: (path: string) => boolean;
}

/**
 * Reads `serialization.ignore_paths`: clean paths below the skill's folder, no patterns. What would ignore all (`.`,
 * an empty text) or leave the folder is refused; absent means the paths of git alone.
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

/** What these paths and those of git cover. Its time does not depend on how many there are. */
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
