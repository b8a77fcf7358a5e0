import { cleanPath, componentsOf, isWindowsPath } from "./container-path.ts";

/** Links that the kernel makes for each process, by what they lead to. */
const link = /^proc\/(?:self|\d+)(?:\/task\/\d+)?\/(?:(root)|(cwd)|(?:fd|map_files)\/[^/]+)$/;

/** Folders that are links themselves: a `..` behind them leads elsewhere than the path says. */
const folders: ReadonlyMap<string, string> = new Map([
  ["proc/thread-self", "proc/self/task/1"],
  ["dev/fd", "proc/self/fd"],
]);

/** Components of the longest one: a value may have half a million. */
const deepest = 6;

const mayHoldLink = (path: string): boolean => path.includes("proc/") || path.includes("fd");

/**
 * The folder that a path leads to in a container, through the kernel's own links: `/proc/self/root/x` is `/x` in every
 * image.
 *
 * @param workingDir of the process, clean; undefined: not known
 * @returns undefined if only the node knows: through an open file, or an unknown working directory
 */
export function behindLinks(path: string, workingDir: string | undefined): string | undefined {
  if (!mayHoldLink(path) || isWindowsPath(path)) return cleanPath(path);
  let at: string[] = [];
  for (const component of componentsOf(path)) {
    if (component === "..") at.pop();
    else at.push(component);
    if (at.length > deepest) continue;
    const here = at.join("/");
    const found = link.exec(here);
    if (found === null) at = folders.get(here)?.split("/") ?? at;
    else if (found[1] !== undefined) at = [];
    else if (found[2] !== undefined && workingDir !== undefined) at = [...componentsOf(workingDir)];
    else return undefined;
  }
  return `/${at.join("/")}`;
}
