import { skillLimits } from "./limits.ts";
import { SourceError } from "./source-error.ts";

const control = /[\u0000-\u001f\u007f]/;

/**
 * Stands in JSON for bytes that are no UTF-8. The API server takes such bytes by protobuf, stores them, and hands them to
 * the kubelet as they are: two different paths, or texts, look alike to whoever reads JSON.
 */
export const replacementCharacter = "\ufffd";

/** Matches nearly every path, and is too short to be too deep: the check runs for every file of every review. */
const ordinary = /^[\w-][\w.-]*(?:\/[\w-][\w.-]*)*$/;
const ordinaryLength = 2 * skillLimits.depth - 1;

/** The fault of a relative path inside a skill; undefined if it has none. */
export function pathFault(path: string): string | undefined {
  if (path.length <= ordinaryLength && ordinary.test(path)) return undefined;
  return faultOf(path);
}

function faultOf(path: string): string | undefined {
  if (path === "") return "is empty";
  if (!path.isWellFormed()) return "is not well-formed Unicode";
  if (control.test(path)) return "contains a control character";
  if (path.includes(replacementCharacter)) return "contains U+FFFD, which may stand for any bytes";
  if (Buffer.byteLength(path) > skillLimits.pathBytes) return `is longer than ${skillLimits.pathBytes} bytes`;
  if (path.startsWith("/")) return "is absolute";
  const components = path.split("/");
  if (components.length > skillLimits.depth) return `is deeper than ${skillLimits.depth} folders`;
  for (const component of components) {
    if (component === "") return "has an empty component";
    if (component === "." || component === "..") return `has the component "${component}"`;
  }
  return undefined;
}

/** Equal for names that some file system or reader takes for the same. */
export const collisionKey = (path: string): string => path.normalize("NFKC").toLowerCase();

/** @throws SourceError SOURCE_MALFORMED if two names differ only in letter case or Unicode form */
export function assertNoCollisions(paths: Iterable<string>): void {
  const seen = new Map<string, string>();
  for (const path of paths) {
    const key = collisionKey(path);
    const other = seen.get(key);
    if (other !== undefined && other !== path) {
      throw new SourceError(
        "SOURCE_MALFORMED",
        `the names ${JSON.stringify(other)} and ${JSON.stringify(path)} differ only in letter case or Unicode form; rename one`,
      );
    }
    seen.set(key, path);
  }
}

/** The last component; of `/`, `/`. */
export const baseName = (path: string): string =>
  path === "/" ? "/" : path.slice(path.lastIndexOf("/") + 1);
