import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { inspectHouse } from "../../../scripts/house-law.ts";

const lawful: Readonly<Record<string, string>> = {
  "src/main.ts": 'import "./compose/process.ts";',
  "src/environment.ts": "export const a = 1;",
  "src/serve-options.ts": 'import "node:net"; export const a = 1;',
  "src/config.ts": 'import "./serve-options.ts"; import "./environment.ts"; import "./server/app.ts";',
  "src/compose/process.ts": 'import "../config.ts"; import "../cli/program.ts"; import "../text/json.ts";',
  "src/server/app.ts": 'import "express"; import "node:https"; import "../skill/skill.ts";',
  "src/cli/program.ts": 'import "commander";',
  "src/text/json.ts": 'import "node:crypto"; import "zod";',
  "src/skill/skill.ts": 'import "../text/json.ts";',
  "src/admission/review.ts": 'import "../skill/skill.ts";',
};

const pure = "pure-rooms-import-only-what-computes";
const unlawful: readonly (readonly [file: string, text: string, ...faults: string[]])[] = [
  ["src/helpers.ts", 'import "node:fs"; import "./admission/review.ts";', "is not on exactly one floor"],
  ["src/loft/room.ts", 'import "../text/json.ts";', "is not on exactly one floor"],
  ["src/text/module.mts", 'import "node:crypto";', "is not a .ts file"],
  ["src/text/upwards.ts", 'import "../skill/skill.ts";', "text-imports-upwards"],
  ["src/text/helped.ts", 'import "../helpers.ts";', pure],
  ["src/text/helped-with-types.ts", 'export type * from "../helpers.ts";', pure],
  ["src/text/file.ts", 'import "node:fs";', pure],
  ["src/text/file-by-old-name.ts", 'import "fs";', pure],
  ["src/text/file-late.ts", 'export const a = () => import("node:fs");', pure],
  ["src/text/file-by-require.ts", 'export const a = require("node:fs") as unknown;', pure],
  ["src/text/database.ts", 'import "node:sqlite";', pure],
  ["src/text/process.ts", 'import "node:process";', pure],
  ["src/text/timer.ts", 'import "node:timers/promises";', pure],
  ["src/text/package.ts", 'import "tuf-js";', pure, "only-tuf-imports-tuf-js"],
  ["src/text/adapter.ts", 'import "../server/app.ts";', pure],
  ["src/text/outside.ts", 'import "../../outside.ts";', pure, "src-imports-only-src-and-packages"],
  [
    "src/signature/sigstore/lazy-libraries.ts",
    'import { createRequire } from "node:module"; const require = createRequire("/"); require("node:fs");',
    "the-late-loader-only-loads",
  ],
  ["src/admission/variable.ts", 'import "../environment.ts";', pure, "rooms-import-no-composition"],
  ["src/admission/setting.ts", 'import "../config.ts";', pure, "rooms-import-no-composition"],
  ["src/server/variable.ts", 'import "../environment.ts";', "rooms-import-no-composition"],
  ["src/server/flag.ts", 'import "../serve-options.ts";', "rooms-import-no-composition"],
  ["src/server/introduction.ts", 'import "../compose/process.ts";', "rooms-import-no-composition"],
  ["src/server/start.ts", 'import "../main.ts";', "rooms-import-no-composition"],
  ["src/server/outside.ts", 'import "../../outside.ts";', "src-imports-only-src-and-packages"],
  [
    "src/server/other-adapter.ts",
    'import "../cli/program.ts";',
    "server-imports-upwards",
    "server-knows-no-other-adapter",
  ],
  ["src/compose/start.ts", 'import "../main.ts";', "compose-imports-upwards"],
];

describe("law of the house", () => {
  let house = "";
  let faults: readonly string[] = [];
  /** A fault is `RULE: FILE -> IMPORT` or `FILE is not …`. */
  const faultsOf = (file: string) => faults.filter((fault) => fault.split(" ").slice(0, 2).includes(file));

  // In the project's folder, so that packages are found.
  beforeAll(async () => {
    mkdirSync(".cache", { recursive: true });
    house = mkdtempSync(".cache/house-");
    for (const name of ["tsconfig.json", "package.json"]) cpSync(name, join(house, name));
    const outside = ["outside.ts", 'import "node:fs";'] as const;
    for (const [file, text] of [...Object.entries(lawful), ...unlawful, outside]) {
      mkdirSync(dirname(join(house, file)), { recursive: true });
      writeFileSync(join(house, file), text);
    }
    faults = (await inspectHouse(resolve(house))).faults;
  });

  afterAll(() => {
    rmSync(house, { recursive: true, force: true });
  });

  it.each(unlawful)("finds the fault of %s: %s", (file, _text, ...expected) => {
    expect(faultsOf(file)).toHaveLength(expected.length);
    for (const fault of expected) expect(faultsOf(file)).toContainEqual(expect.stringContaining(fault));
  });

  it("finds no other fault", () => {
    expect(faults).toHaveLength(unlawful.flatMap(([, , ...expected]) => expected).length);
    expect(Object.keys(lawful).flatMap(faultsOf)).toEqual([]);
  });
});
