/** The law of the house, and that the checker saw the house at all: one that finds no modules finds no faults. */
import { cruise } from "dependency-cruiser";
import extractTypeScriptConfig from "dependency-cruiser/config-utl/extract-ts-config";
import { createRequire } from "node:module";

const fewest = 100;
const require = createRequire(import.meta.url);
const rules = require("../.dependency-cruiser.cjs") as {
  forbidden: never[];
  options: Record<string, unknown>;
};
const result = await cruise(
  ["src"],
  { ...rules.options, ruleSet: { forbidden: rules.forbidden }, validate: true },
  undefined,
  { tsConfig: extractTypeScriptConfig("tsconfig.json") },
);
if (typeof result.output === "string") throw new Error("the checker answered in text");
const { totalCruised, violations } = result.output.summary;
for (const { rule, from, to } of violations) console.error(`${rule.name}: ${from} -> ${to}`);
const seen = result.output.modules.filter(({ source }) => source.startsWith("src/")).length;
console.log(`${seen} modules of ours, ${totalCruised} in all, ${violations.length} violations`);
if (seen < fewest) console.error(`fewer than ${fewest} modules: the checker did not see the house`);
process.exitCode = violations.length > 0 || seen < fewest ? 1 : 0;
