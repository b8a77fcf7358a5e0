import { cruise } from "dependency-cruiser";
import extractTypeScriptConfig from "dependency-cruiser/config-utl/extract-ts-config";
import { createRequire } from "node:module";

type FloorPlan = readonly (readonly string[])[];

export interface House {
  /** Paths of the files below src. */
  readonly sources: readonly string[];
  readonly filesByChamber: ReadonlyMap<string, readonly string[]>;
  /** Number of modules seen, those of Node and of packages among them. */
  readonly total: number;
  /** Imports that the law forbids, and files that stand on no floor or on two. */
  readonly faults: readonly string[];
}

const require = createRequire(import.meta.url);
const rules = require("../.dependency-cruiser.cjs") as {
  readonly forbidden: never[];
  readonly options: Record<string, unknown>;
};
const { adapterFloors, compositionFloors, filesOf, pureFloors } = require("./house-floors.cjs") as {
  readonly pureFloors: FloorPlan;
  readonly adapterFloors: FloorPlan;
  readonly compositionFloors: FloorPlan;
  readonly filesOf: (chamber: string) => string;
};

/** Holds the `src` of a project's folder against the law of the house. */
export async function inspectHouse(baseDir: string): Promise<House> {
  const { output } = await cruise(
    ["src"],
    { ...rules.options, baseDir, ruleSet: { forbidden: rules.forbidden }, validate: true },
    undefined,
    { tsConfig: extractTypeScriptConfig("tsconfig.json") },
  );
  if (typeof output === "string") throw new Error("the checker answered in text");
  const sources = output.modules.map(({ source }) => source).filter((source) => source.startsWith("src/"));
  const filesByChamber = new Map(
    [...pureFloors, ...adapterFloors, ...compositionFloors].flat().map((chamber) => {
      const files = new RegExp(filesOf(chamber));
      return [chamber, sources.filter((source) => files.test(source))];
    }),
  );
  const floorsOf = (source: string) => [...filesByChamber.values()].filter((files) => files.includes(source));
  return {
    sources,
    filesByChamber,
    total: output.summary.totalCruised,
    faults: [
      ...output.summary.violations.map(({ rule, from, to }) => `${rule.name}: ${from} -> ${to}`),
      ...sources
        .filter((source) => floorsOf(source).length !== 1)
        .map((source) => `${source} is not on exactly one floor of scripts/house-floors.cjs`),
      ...sources
        .filter((source) => !source.endsWith(".ts"))
        .map((source) => `${source} is not a .ts file: the linter would not see it`),
    ],
  };
}
