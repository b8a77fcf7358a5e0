/**
 * Makes a tarball of the command with everything that it needs at run time but Node: `npm run pack -- [--to FOLDER]`. It is
 * installed without a registry, as `npm install -g ./skill-admission-VERSION.tgz`, in the versions of the lock file.
 */
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join, resolve } from "node:path";
import { parseArgs } from "node:util";

import { productionOf } from "./image/installed-packages.ts";
import { trimPackages } from "./image/trim-packages.ts";

const project = join(import.meta.dirname, "..");

interface Manifest {
  readonly name: string;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly [field: string]: unknown;
}

/** Fields that whoever installs it needs: no scripts, and no packages that a registry would have to be asked for. */
function packedManifest(): Manifest {
  const manifest = JSON.parse(readFileSync(join(project, "package.json"), "utf8")) as Manifest;
  const kept = ["name", "version", "description", "license", "type", "bin", "files", "dependencies"];
  return {
    ...(Object.fromEntries(kept.map((field) => [field, manifest[field]])) as unknown as Manifest),
    bundleDependencies: Object.keys(manifest.dependencies),
  };
}

/** A folder that has what the tarball is to hold. */
function stage(folder: string): void {
  writeFileSync(join(folder, "package.json"), `${JSON.stringify(packedManifest(), undefined, 2)}\n`);
  const filter = (path: string): boolean => basename(path) !== ".tsbuildinfo";
  for (const name of ["bin", "dist", "LICENSE"])
    cpSync(join(project, name), join(folder, name), { recursive: true, filter });
  for (const { path } of productionOf(project).packages)
    cpSync(join(project, path), join(folder, path), {
      recursive: true,
      filter: (from) => from === join(project, path) || basename(from) !== "node_modules",
    });
  trimPackages(folder);
}

const { values } = parseArgs({ options: { to: { type: "string", default: "." } } });
const target = resolve(values.to);
const folder = mkdtempSync(join(tmpdir(), "skill-admission-pack-"));
try {
  stage(folder);
  mkdirSync(target, { recursive: true });
  const args = ["pack", "--silent", "--ignore-scripts", "--pack-destination", target];
  const name = execFileSync("npm", args, { cwd: folder, encoding: "utf8" }).trim();
  console.log(join(target, name));
} finally {
  rmSync(folder, { recursive: true, force: true });
}
