/** Checks the law of the house. A checker that finds no modules finds no faults either: that is an error. */
import { cruise } from "dependency-cruiser";
import extractTypeScriptConfig from "dependency-cruiser/config-utl/extract-ts-config";
import { createRequire } from "node:module";

const fewest = 100;
const require = createRequire(import.meta.url);
const rules = require("../.dependency-cruiser.cjs") as {
  forbidden: never[];
  options: Record<string, unknown>;
};
const { adapterFloors, filesOf, pureFloors } = require("./house-floors.cjs") as {
  readonly pureFloors: readonly (readonly string[])[];
  readonly adapterFloors: readonly (readonly string[])[];
  readonly filesOf: (chamber: string) => string;
};
const result = await cruise(
  ["src"],
  { ...rules.options, ruleSet: { forbidden: rules.forbidden }, validate: true },
  undefined,
  { tsConfig: extractTypeScriptConfig("tsconfig.json") },
);
if (typeof result.output === "string") throw new Error("the checker answered in text");
const { totalCruised, violations } = result.output.summary;
const sources = result.output.modules
  .map(({ source }) => source)
  .filter((source) => source.startsWith("src/"));
const chambers = [...pureFloors, ...adapterFloors].flat();
const inhabitants = new Map(
  chambers.map((chamber) => [chamber, sources.filter((source) => new RegExp(filesOf(chamber)).test(source))]),
);
/** The composition root and the files beside it stand on no floor: they may import everything. */
const onNoFloor = /^src\/(?:compose\/|[^/]+\.ts$)/;
const faults = [
  ...violations.map(({ rule, from, to }) => `${rule.name}: ${from} -> ${to}`),
  ...sources
    .filter((source) => !onNoFloor.test(source))
    .filter((source) => [...inhabitants.values()].filter((files) => files.includes(source)).length !== 1)
    .map((source) => `${source} is not on exactly one floor of scripts/house-floors.cjs`),
  ...[...inhabitants]
    .filter(([, files]) => files.length === 0)
    .map(([chamber]) => `${chamber} holds no file`),
];
if (sources.length < fewest) faults.push(`fewer than ${fewest} modules: the checker did not see the house`);
for (const [chamber, files] of inhabitants) console.log(`${String(files.length).padStart(4)}  ${chamber}`);
for (const fault of faults) console.error(fault);
console.log(`${sources.length} modules of ours, ${totalCruised} in all, ${faults.length} faults`);
process.exitCode = faults.length > 0 ? 1 : 0;
