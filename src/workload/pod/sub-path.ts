type Entries<T> = readonly (readonly [path: string, T])[];

/** Of volumes that are mounted by `subPath`: a pod can do so thousands of times with a volume of thousands of files. */
const indexes = new WeakMap<ReadonlyMap<string, unknown>, ReadonlyMap<string, Entries<unknown>>>();

/** What of a volume lies at or below a path. */
export function within<T>(contents: ReadonlyMap<string, T>, subPath: string): Entries<T> {
  if (subPath === "") return [...contents];
  const known = indexes.get(contents) as ReadonlyMap<string, Entries<T>> | undefined;
  const index = known ?? byFolder(contents);
  indexes.set(contents, index);
  return index.get(subPath) ?? [];
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
