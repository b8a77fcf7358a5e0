import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { packagesBelow, productionOf } from "../../scripts/image/installed-packages.ts";
import { trimPackages, unreadFiles } from "../../scripts/image/trim-packages.ts";

let project: string;

beforeEach(async () => {
  project = await mkdtemp(join(tmpdir(), "skill-admission-trim-"));
});
afterEach(() => rm(project, { recursive: true, force: true }));

async function write(files: Readonly<Record<string, string | object>>): Promise<void> {
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(project, path)), { recursive: true });
    await writeFile(join(project, path), typeof content === "string" ? content : JSON.stringify(content));
  }
}

const manifest = (name: string, dependencies: Readonly<Record<string, string>> = {}): object => ({
  name,
  version: "1.0.0",
  dependencies,
});

describe("unreadFiles", () => {
  it("names types, sources, maps, notes and tests", () => {
    const gone = ["index.d.ts", "dist/a.d.cts", "src/a.ts", "a.js.map", "README.md", "test/a.js", ".nycrc"];
    expect(unreadFiles([...gone, "index.js", "LICENSE"])).toEqual(gone);
  });

  it.each([
    "index.js",
    "lib/a.cjs",
    "lib/a.mjs",
    "package.json",
    "a.wasm",
    "data/zones.json",
    "yarn.lock.js",
  ])("leaves %s", (path) => {
    expect(unreadFiles([path, "LICENSE"])).toEqual([]);
  });

  it.each([
    "LICENSE",
    "LICENCE.md",
    "license-mit.txt",
    "COPYING",
    "NOTICE",
    "AUTHORS.md",
    "lib/vendor/LICENSE.md",
  ])("leaves %s, which a licence asks for", (path) => {
    expect(unreadFiles([path, "index.js"])).toEqual([]);
  });

  it("leaves the README where it alone can hold the licence", () => {
    expect(unreadFiles(["README.md", "CHANGELOG.md", "index.js"])).toEqual(["CHANGELOG.md"]);
  });

  it("leaves folders of such a name that are deeper in the code", () => {
    expect(unreadFiles(["dist/doc/Document.js", "dist/test/x.js", "LICENSE"])).toEqual([]);
    expect(unreadFiles(["docs/Document.js", "LICENSE"])).toEqual(["docs/Document.js"]);
  });
});

describe("trimPackages", () => {
  it("takes files out of nested and scoped packages, and folders that hold nothing any more", async () => {
    await write({
      "package.json": manifest("top", { a: "1" }),
      "node_modules/a/package.json": manifest("a", { "@b/c": "1" }),
      "node_modules/a/index.js": "1",
      "node_modules/a/types/index.d.ts": "12345",
      "node_modules/a/node_modules/@b/c/package.json": manifest("@b/c"),
      "node_modules/a/node_modules/@b/c/index.js": "1",
      "node_modules/a/node_modules/@b/c/index.js.map": "12345",
    });
    expect(trimPackages(project)).toBe(10);
    expect(existsSync(join(project, "node_modules/a/types"))).toBe(false);
    expect(existsSync(join(project, "node_modules/a/node_modules/@b/c/index.js.map"))).toBe(false);
    expect(await readFile(join(project, "node_modules/a/node_modules/@b/c/index.js"), "utf8")).toBe("1");
  });

  it("takes out packages of types and what only they need, and npm's own notes", async () => {
    await write({
      "package.json": manifest("top", { a: "1", "@types/a": "1" }),
      "node_modules/.package-lock.json": {},
      "node_modules/@types/a/package.json": manifest("@types/a", { "more-types": "1" }),
      "node_modules/@types/a/LICENSE": "MIT",
      "node_modules/more-types/package.json": manifest("more-types"),
      "node_modules/a/package.json": manifest("a"),
      "node_modules/a/cli.js": "1",
    });
    await mkdir(join(project, "node_modules/.bin"));
    await symlink("../a/cli.js", join(project, "node_modules/.bin/a"));
    trimPackages(project);
    expect(packagesBelow(project).map(({ path }) => path)).toEqual(["node_modules/a"]);
    for (const gone of ["@types", "more-types", ".bin", ".package-lock.json"])
      expect(existsSync(join(project, "node_modules", gone))).toBe(false);
  });
});

describe("productionOf", () => {
  const tree = {
    "package.json": { ...manifest("top", { a: "1", "@types/a": "1" }), devDependencies: { d: "1" } },
    "node_modules/a/package.json": { ...manifest("a", { b: "1" }), optionalDependencies: { absent: "1" } },
    "node_modules/a/node_modules/b/package.json": manifest("b", { c: "1", a: "1" }),
    "node_modules/b/package.json": manifest("b"),
    "node_modules/c/package.json": manifest("c"),
    "node_modules/d/package.json": manifest("d"),
  };

  it("follows what is needed to where Node finds it, and leaves out the rest", async () => {
    await write(tree);
    const { packages, needs } = productionOf(project);
    expect(packages.map(({ path }) => path)).toEqual([
      "node_modules/a",
      "node_modules/a/node_modules/b",
      "node_modules/c",
    ]);
    expect(needs.get("")).toEqual(["node_modules/a"]);
    expect(needs.get("node_modules/a/node_modules/b")).toEqual(["node_modules/a", "node_modules/c"]);
  });

  it("refuses a tree where a package is missing", async () => {
    await write(tree);
    await rm(join(project, "node_modules/c"), { recursive: true });
    expect(() => productionOf(project)).toThrow(/b needs c, which is not installed: run "npm ci"/);
  });
});
