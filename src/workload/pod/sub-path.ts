import { memoizeByObject } from "../../text/memoize-by-object.ts";

type Entries<T> = readonly (readonly [path: string, T])[];

/** Made once for a volume: a pod can mount one of thousands of files thousands of times. */
const indexOf = memoizeByObject((contents: ReadonlyMap<string, unknown>) => byFolder(contents));

/** What of a volume lies at or below a path. */
export function within<T>(contents: ReadonlyMap<string, T>, subPath: string): Entries<T> {
  if (subPath === "") return [...contents];
  return (indexOf(contents) as ReadonlyMap<string, Entries<T>>).get(subPath) ?? [];
}

/** The entries below each folder, and each entry under its own path. */
function byFolder<T>(contents: ReadonlyMap<string, T>): ReadonlyMap<string, Entries<T>> {
  const index = new Map<string, (readonly [string, T])[]>();
  for (const entry of contents) {
    for (let path: string | undefined = entry[0]; path !== undefined; path = folderOf(path)) {
      const entries = index.get(path) ?? [];
      entries.push(entry);
      index.set(path, entries);
    }
  }
  return index;
}

const folderOf = (path: string): string | undefined => {
  const slash = path.lastIndexOf("/");
  return slash === -1 ? undefined : path.slice(0, slash);
};
