import { memoizeByObject } from "../../text/memoize-by-object.ts";

type Entries<T> = readonly (readonly [path: string, T])[];

/** One index for each volume: a pod can mount thousands of subPaths of a volume with thousands of files. */
const indexOf = memoizeByObject((contents: ReadonlyMap<string, unknown>) => byFolder(contents));

/** The entries at or below a path of a volume. */
export function within<T>(contents: ReadonlyMap<string, T>, subPath: string): Entries<T> {
  if (subPath === "") return [...contents];
  return (indexOf(contents) as ReadonlyMap<string, Entries<T>>).get(subPath) ?? [];
}

/** Every file and folder of a volume, and the volume itself first; folders before what they hold. */
export const pathsIn = memoizeByObject((contents: ReadonlyMap<string, unknown>): readonly string[] => [
  "",
  ...[...indexOf(contents).keys()].sort((a, b) => a.length - b.length),
]);

/** Indexes entries by their own path and by each folder above. */
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
