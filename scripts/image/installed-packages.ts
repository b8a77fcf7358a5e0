import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** Fields of a package.json that a bill of materials needs. */
export interface PackageManifest {
  readonly name: string;
  readonly version: string;
  readonly description?: string;
  /** SPDX expression. Old packages have an object, or a list of objects. */
  readonly license?: string | { readonly type: string };
  readonly licenses?: readonly { readonly type: string }[];
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

export interface InstalledPackage {
  /** Path from the project's folder, as in the lock file: `node_modules/a/node_modules/@b/c`. */
  readonly path: string;
  readonly manifest: PackageManifest;
}

/** Packages of type declarations: nothing in them runs. */
const holdsOnlyTypes = (name: string): boolean => name.startsWith("@types/");

const manifestOf = (folder: string): PackageManifest =>
  JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as PackageManifest;

/** Package folders directly below a `node_modules`, scopes opened, sorted. */
function packageFolders(modules: string): readonly string[] {
  return readdirSync(modules, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith("."))
    .flatMap(({ name }) =>
      name.startsWith("@") ? readdirSync(join(modules, name)).map((inner) => `${name}/${inner}`) : [name],
    )
    .sort();
}

/**
 * Every package below a folder's `node_modules`, nested ones included.
 * @param path of that folder from the project's folder; empty for the project itself
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
 * Package that an import resolves to, by Node's rule: the nearest `node_modules` upwards.
 * @param from path of the importing package; empty for the project
 */
function resolve(project: string, from: string, name: string): string | undefined {
  for (let at = from; ; at = at.slice(0, Math.max(0, at.lastIndexOf("node_modules/") - 1))) {
    const path = at === "" ? `node_modules/${name}` : `${at}/node_modules/${name}`;
    if (existsSync(join(project, path, "package.json"))) return path;
    if (at === "") return undefined;
  }
}

/** Packages that run in production, with their dependencies. */
export interface Production {
  readonly project: PackageManifest;
  readonly packages: readonly InstalledPackage[];
  /** Path of a package → paths of its dependencies. The project's own path is empty. */
  readonly needs: ReadonlyMap<string, readonly string[]>;
}

/**
 * Packages that a project needs to run, resolved as Node resolves them in the installed tree.
 * @param project folder of its package.json
 * @throws Error where a needed package is not installed
 */
export function productionOf(project: string): Production {
  const root = manifestOf(project);
  const needs = new Map<string, readonly string[]>();
  const packages = new Map<string, InstalledPackage>();
  const visit = (path: string, manifest: PackageManifest): void => {
    const found: string[] = [];
    needs.set(path, found);
    // The project's own bring the Node that npm's scripts run on, which the image has from its base.
    const optional = path === "" ? {} : (manifest.optionalDependencies ?? {});
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
