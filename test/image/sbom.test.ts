import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Spec, Validation } from "@cyclonedx/cyclonedx-library";
import { describe, expect, it } from "vitest";

import type { InstalledPackage, Production } from "../../scripts/image/installed-packages.ts";
import { purlOf, sbomOf } from "../../scripts/image/sbom.ts";

interface Component {
  readonly type: string;
  readonly group?: string;
  readonly name: string;
  readonly version: string;
  readonly purl: string;
  readonly "bom-ref": string;
  readonly hashes?: readonly { readonly alg: string; readonly content: string }[];
  readonly licenses?: readonly {
    readonly license?: { readonly id?: string; readonly name?: string };
    readonly expression?: string;
  }[];
}
interface Sbom {
  readonly serialNumber: string;
  readonly metadata: { readonly timestamp?: string; readonly component: Component };
  readonly components: readonly Component[];
  readonly dependencies: readonly { readonly ref: string; readonly dependsOn?: readonly string[] }[];
}

const project = join(import.meta.dirname, "../..");
const read = (text: string): Sbom => JSON.parse(text) as Sbom;
const problems = (text: string): Promise<unknown> =>
  new Validation.JsonStrictValidator(Spec.Version.v1dot6).validate(text);

const installed = (
  path: string,
  name: string,
  license: InstalledPackage["manifest"]["license"],
): InstalledPackage => ({
  path,
  manifest: { name, version: "1.0.0", ...(license === undefined ? {} : { license }) },
});

function sample(reversed = false): Production {
  const packages = [
    installed("node_modules/@a/b", "@a/b", "MIT"),
    installed("node_modules/c", "c", "(MIT OR Apache-2.0)"),
    installed("node_modules/d", "d", "SEE LICENSE IN terms.txt"),
    installed("node_modules/c/node_modules/d", "d", { type: "ISC" }),
  ];
  const needs: [string, readonly string[]][] = [
    ["", ["node_modules/@a/b", "node_modules/c"]],
    ["node_modules/c", ["node_modules/c/node_modules/d"]],
    ["node_modules/@a/b", ["node_modules/d"]],
  ];
  return {
    project: { name: "top", version: "2.0.0", license: "Apache-2.0" },
    packages: reversed ? packages.slice(0, 2).reverse().concat(packages.slice(2)) : packages,
    needs: new Map(reversed ? needs.reverse() : needs),
  };
}

const bytes = Buffer.alloc(64, 7);
const integrity = (path: string): string | undefined =>
  path === "node_modules/c" ? `sha512-${bytes.toString("base64")}` : undefined;

describe("sbomOf", () => {
  const timestamp = new Date(1_790_000_000_000);
  const text = sbomOf({ production: sample(), integrity, timestamp });
  const sbom = read(text);
  const component = (name: string): Component => sbom.components.find((each) => each.name === name)!;

  it("is what the schema of CycloneDX 1.6 asks for", async () => {
    expect(await problems(text)).toBeNull();
    expect(await problems(text.replace('"library"', '"librarian"'))).not.toBeNull();
  });

  it("names the program, with its version, and every package once", () => {
    expect(sbom.metadata.component).toMatchObject({ type: "application", name: "top", version: "2.0.0" });
    expect(sbom.components.map(({ purl }) => purl)).toEqual([
      "pkg:npm/%40a/b@1.0.0",
      "pkg:npm/c@1.0.0",
      "pkg:npm/d@1.0.0",
    ]);
  });

  it("says who needs whom", () => {
    const needs = Object.fromEntries(sbom.dependencies.map(({ ref, dependsOn }) => [ref, dependsOn]));
    expect(needs["pkg:npm/top@2.0.0"]).toEqual(["pkg:npm/%40a/b@1.0.0", "pkg:npm/c@1.0.0"]);
    expect(needs["pkg:npm/c@1.0.0"]).toEqual(["pkg:npm/d@1.0.0"]);
    expect(needs["pkg:npm/d@1.0.0"]).toBeUndefined();
  });

  it("carries licences as identifier, expression or name, as they were declared", () => {
    expect(component("b").licenses).toEqual([{ license: { id: "MIT", acknowledgement: "declared" } }]);
    expect(component("c").licenses).toEqual([
      { expression: "(MIT OR Apache-2.0)", acknowledgement: "declared" },
    ]);
    expect(component("d").licenses?.[0]?.license?.name).toBe("SEE LICENSE IN terms.txt");
  });

  it("carries the archive's digest from the lock file, where it has one", () => {
    expect(component("c").hashes).toEqual([{ alg: "SHA-512", content: bytes.toString("hex") }]);
    expect(component("b").hashes).toBeUndefined();
  });

  it("is the same for the same packages, in whatever order they were found", () => {
    expect(sbomOf({ production: sample(true), integrity, timestamp })).toBe(text);
  });

  it("has another serial number for other contents, an RFC 9562 one", () => {
    const other = read(sbomOf({ production: sample(), integrity: () => undefined, timestamp }));
    expect(other.serialNumber).not.toBe(sbom.serialNumber);
    expect(sbom.serialNumber).toMatch(
      /^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
    );
  });

  it("carries a time only when it was told one", () => {
    expect(sbom.metadata.timestamp).toBe("2026-09-21T14:13:20.000Z");
    expect(read(sbomOf({ production: sample(), integrity })).metadata.timestamp).toBeUndefined();
  });
});

describe("purlOf", () => {
  it("escapes the scope's sign", () => {
    expect(purlOf({ name: "@a/b", version: "1.0.0" })).toBe("pkg:npm/%40a/b@1.0.0");
  });
});

describe("npm run sbom", () => {
  const run = (epoch: string): string =>
    execFileSync(process.execPath, [join(project, "scripts/sbom.ts")], {
      encoding: "utf8",
      env: { ...process.env, SOURCE_DATE_EPOCH: epoch },
      maxBuffer: 64 * 1024 * 1024,
    });

  it("prints a valid list of what the lock file has for production, the same every time", async () => {
    const text = run("1790000000");
    expect(await problems(text)).toBeNull();
    expect(run("1790000000")).toBe(text);
    const lock = JSON.parse(readFileSync(join(project, "package-lock.json"), "utf8")) as {
      readonly packages: Readonly<
        Record<
          string,
          {
            readonly version: string;
            readonly dev?: boolean;
            readonly devOptional?: boolean;
            readonly optional?: boolean;
            readonly peer?: boolean;
          }
        >
      >;
    };
    const expected = Object.entries(lock.packages)
      .filter(
        ([path, { dev, devOptional, peer, optional }]) =>
          path !== "" && !dev && !devOptional && !peer && !optional,
      )
      .map(([path, { version }]) => ({ name: path.slice(path.lastIndexOf("node_modules/") + 13), version }))
      .filter(({ name }) => !name.startsWith("@types/") && !name.startsWith("undici-types"))
      .map(purlOf);
    expect(new Set(read(text).components.map(({ purl }) => purl))).toEqual(new Set(expected));
  });

  it("has a digest and a licence for every package", () => {
    for (const { purl, hashes, licenses } of read(run("")).components) {
      expect(hashes, purl).toHaveLength(1);
      expect(licenses, purl).toHaveLength(1);
    }
  });
});
