import { malformed } from "../../kubernetes/read-fields.ts";
import { replacementCharacter } from "../../skill/path.ts";
import { podLimits } from "./limits.ts";

/** Matches nearly every path. */
const clean = /^(?:\/(?!\.{1,2}(?:\/|$))[^/\\]+)+$/;
const drive = /^[a-z]:(?=[/\\]|$)/i;
const control = /[\u0000-\u001f\u007f]/;

/** Components of a path in order. Empty ones and `.` are left out, as in the kernel. */
export const componentsOf = (path: string): readonly string[] =>
  path.split("/").filter((component) => component !== "" && component !== ".");

/** Whether a path is written as those of Windows are. */
export const isWindowsPath = (path: string): boolean => path.includes("\\") || drive.test(path);

/** Whether a path begins at a root, of Linux or of Windows. */
export const isAbsolutePath = (path: string): boolean => /^[/\\]/.test(path) || drive.test(path);

/**
 * The absolute path without `.`, `..` and doubled slashes. A relative path starts at `/`, as in the kubelet. One of
 * Windows is brought into the form of Linux: its case is none, and the node's drives are one.
 */
export function cleanPath(path: string): string {
  if (clean.test(path)) return path;
  if (isWindowsPath(path)) return cleanPath(path.replace(drive, "").replaceAll("\\", "/").toLowerCase());
  const kept: string[] = [];
  for (const component of componentsOf(path)) {
    if (component === "..") kept.pop();
    else kept.push(component);
  }
  return `/${kept.join("/")}`;
}

/** @throws SourceError SOURCE_MALFORMED if the path is too long, too deep, or has control characters */
export function assertContainerPath(path: string, field: string): void {
  if (!path.isWellFormed() || control.test(path) || path.includes(replacementCharacter))
    throw malformed(field, "holds characters that no path has");
  if (path.length > podLimits.pathLength)
    throw malformed(field, `is longer than ${podLimits.pathLength} characters`);
  if (path.split(/[/\\]/).length > podLimits.pathDepth)
    throw malformed(field, `has more than ${podLimits.pathDepth} components`);
}

/** The folder above a clean absolute path; undefined for `/`. */
export function parentOf(path: string): string | undefined {
  if (path === "/") return undefined;
  const slash = path.lastIndexOf("/");
  return slash === 0 ? "/" : path.slice(0, slash);
}

/** The folders above a clean absolute path, nearest first, `/` last. */
export function ancestorsOf(path: string): readonly string[] {
  const ancestors: string[] = [];
  for (let at = parentOf(path); at !== undefined; at = parentOf(at)) ancestors.push(at);
  return ancestors;
}

/** Joins a clean absolute path and a clean relative one. */
export const joinPath = (folder: string, relative: string): string => {
  if (relative === "") return folder;
  return folder === "/" ? `/${relative}` : `${folder}/${relative}`;
};

/** `path` relative to `folder`; both clean and absolute. */
export const below = (folder: string, path: string): string =>
  path.slice(folder === "/" ? 1 : folder.length + 1);

/** Whether a clean absolute path is strictly below a folder. */
export const isBelow = (folder: string, path: string): boolean =>
  folder === "/"
    ? path !== "/"
    : path.length > folder.length && path.startsWith(folder) && path[folder.length] === "/";
