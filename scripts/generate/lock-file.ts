interface LockedPackage {
  readonly integrity?: string;
  readonly inBundle?: boolean;
}

/**
 * The lock file as every machine can use it. No `resolved`: each asks the registry that it is set up for. No `engines`:
 * everything runs on the Node that is locked here, and npm would hold them against its own, warn dozens of times for
 * nothing, and leave out optional packages, such as a bundler's native part, that this one needs.
 * @throws Error that names packages which have no digest
 */
export function portableLockFile(text: string): string {
  const { packages, ...rest } = JSON.parse(text) as {
    readonly packages: Readonly<Record<string, LockedPackage>>;
  };
  const unlocked = Object.entries(packages)
    .filter(([path, { integrity, inBundle }]) => path !== "" && integrity === undefined && inBundle !== true)
    .map(([path]) => path);
  if (unlocked.length > 0) throw new Error(`package-lock.json has no integrity for ${unlocked.join(", ")}`);
  const portable = Object.entries(packages).map(([path, locked]) => [
    path,
    Object.fromEntries(Object.entries(locked).filter(([key]) => key !== "resolved" && key !== "engines")),
  ]);
  return `${JSON.stringify({ ...rest, packages: Object.fromEntries(portable) as unknown }, null, 2)}\n`;
}
