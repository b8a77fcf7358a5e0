/**
 * Removes from `node_modules` everything that Node never reads: `trim-packages.ts PROJECT`. Packages that production
 * does not need go as a whole; of the others, single files. Behaviour stays the same; licences and notices stay.
 */
import { lstatSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { packagesBelow, productionOf } from "./installed-packages.ts";

/** Texts that a licence asks to be passed on. */
const legal = /^(?:licen[cs]e|copying|copyright|notice|authors|patents|third.?party)/i;

/**
 * Files that Node never reads, by path within the package. Node strips types of `.ts` files, but never below
 * `node_modules`.
 */
const unread: readonly RegExp[] = [
  /\.[cm]?ts$/,
  /\.map$/,
  /\.tsbuildinfo$/,
  // Native add-ons for another runtime, Bare, on thirteen platforms.
  /\.bare$/,
  /^(?:\.github|tests?|__tests__|docs|examples?|bench|benchmarks?|coverage)\//,
  /(?:^|\/)\.(?:editorconfig|eslintrc|eslintignore|nycrc|npmignore|prettierrc|gitattributes|travis)[^/]*$/,
  /^[^/]+\.ya?ml$/,
];

const prose = /\.(?:md|markdown|html)$/i;

const nameOf = (path: string): string => path.slice(path.lastIndexOf("/") + 1);

/**
 * Files of a package that Node never reads.
 * @param files paths from the package's folder
 */
export function unreadFiles(files: readonly string[]): readonly string[] {
  const hasLicence = files.some((path) => !path.includes("/") && legal.test(path));
  return files.filter((path) => {
    if (legal.test(nameOf(path))) return false;
    // The README stays where it is the only place of the licence.
    if (prose.test(path)) return hasLicence || !/^readme/i.test(path);
    return unread.some((pattern) => pattern.test(path));
  });
}

function filesBelow(folder: string, prefix = ""): readonly string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    if (entry.name === "node_modules") return [];
    const path = `${prefix}${entry.name}`;
    return entry.isDirectory() ? filesBelow(join(folder, entry.name), `${path}/`) : [path];
  });
}

/** Removes empty folders. */
function dropEmpty(folder: string): void {
  for (const entry of readdirSync(folder, { withFileTypes: true }))
    if (entry.isDirectory()) dropEmpty(join(folder, entry.name));
  if (readdirSync(folder).length === 0) rmSync(folder, { recursive: true });
}

/**
 * @param project folder with a `node_modules`
 * @returns bytes removed
 */
export function trimPackages(project: string): number {
  let bytes = 0;
  const remove = (path: string): void => {
    bytes += lstatSync(path).size;
    rmSync(path, { recursive: true });
  };
  const needed = new Set(productionOf(project).packages.map(({ path }) => path));
  for (const { path } of packagesBelow(project)) {
    const folder = join(project, path);
    const files = filesBelow(folder);
    const gone = needed.has(path) ? unreadFiles(files) : files;
    for (const file of gone) remove(join(folder, file));
  }
  // npm's own lock file and the links to programs.
  for (const name of [".package-lock.json", ".bin"])
    rmSync(join(project, "node_modules", name), { recursive: true, force: true });
  dropEmpty(join(project, "node_modules"));
  return bytes;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [project = "."] = process.argv.slice(2);
  console.log(`took out ${(trimPackages(project) / 1e6).toFixed(1)} MB that Node never reads`);
}
