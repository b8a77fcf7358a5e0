import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** What a package says of itself in its package.json, as far as it matters here. */
export interface PackageManifest {
  readonly name: string;
  readonly version: string;
  readonly description?: string;
  /** An SPDX expression; old packages have an object, or a list of them. */
  readonly license?: string | { readonly type: string };
  readonly licenses?: readonly { readonly type: string }[];
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

export interface InstalledPackage {
  /** Path from the project's folder, as the lock file writes it: `node_modules/a/node_modules/@b/c`. */
  readonly path: string;
  readonly manifest: PackageManifest;
}

/** Packages of declarations for a compiler: nothing in them ever runs. */
const holdsOnlyTypes = (name: string): boolean => name.startsWith("@types/");

const manifestOf = (folder: string): PackageManifest =>
  JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as PackageManifest;

/** Folders directly below a `node_modules`, scopes looked into, in order. */
function packageFolders(modules: string): readonly string[] {
  return readdirSync(modules, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith("."))
    .flatMap(({ name }) =>
      name.startsWith("@") ? readdirSync(join(modules, name)).map((inner) => `${name}/${inner}`) : [name],
    )
    .sort();
}

/**
 * Every package that is there below a folder's `node_modules`, nested ones too.
 * @param path where to look, from the project's folder; empty for the project itself
 */
export function packagesBelow(project: string, path = ""): readonly InstalledPackage[] {
  const modules = path === "" ? "node_modules" : `${path}/node_modules`;
  if (!existsSync(join(project, modules))) return [];
  return packageFolders(join(project, modules)).flatMap((name) => {
    const inner = `${modules}/${name}`;
    return [{ path: inner, manifest: manifestOf(join(project, inner)) }, ...packagesBelow(project, inner)];
  });
}

/**
 * Where Node finds a package that another one imports: the nearest `node_modules` upwards.
 * @param from path of the importing package, empty for the project
 */
function resolve(project: string, from: string, name: string): string | undefined {
  for (let at = from; ; at = at.slice(0, Math.max(0, at.lastIndexOf("node_modules/") - 1))) {
    const path = at === "" ? `node_modules/${name}` : `${at}/node_modules/${name}`;
    if (existsSync(join(project, path, "package.json"))) return path;
    if (at === "") return undefined;
  }
}

/** What runs in production, and who needs whom. */
export interface Production {
  readonly project: PackageManifest;
  readonly packages: readonly InstalledPackage[];
  /** Paths that a path's package needs; the project's own path is empty. */
  readonly needs: ReadonlyMap<string, readonly string[]>;
}

/**
 * The packages that a project needs to run, found as Node finds them in what is installed.
 * @param project folder of its package.json
 * @throws Error where a package that is needed is not installed
 */
export function productionOf(project: string): Production {
  const root = manifestOf(project);
  const needs = new Map<string, readonly string[]>();
  const packages = new Map<string, InstalledPackage>();
  const visit = (path: string, manifest: PackageManifest): void => {
    const found: string[] = [];
    needs.set(path, found);
    const optional = manifest.optionalDependencies ?? {};
    for (const name of Object.keys({ ...manifest.dependencies, ...optional })) {
      if (holdsOnlyTypes(name)) continue;
      const at = resolve(project, path, name);
      if (at === undefined) {
        if (Object.hasOwn(optional, name)) continue;
        throw new Error(`${manifest.name} needs ${name}, which is not installed: run "npm ci"`);
      }
      found.push(at);
      if (needs.has(at)) continue;
      const inner = manifestOf(join(project, at));
      packages.set(at, { path: at, manifest: inner });
      visit(at, inner);
    }
    found.sort();
  };
  visit("", root);
  const sorted = [...packages.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
  return { project: root, packages: sorted, needs };
}
