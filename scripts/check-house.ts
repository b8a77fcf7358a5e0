/** Checks the law of the house. A checker that finds no modules finds no faults either: that is an error. */
import { inspectHouse } from "./house-law.ts";

const fewest = 100;
const { sources, filesByChamber, total, faults: broken } = await inspectHouse(process.cwd());
const faults = [
  ...broken,
  ...[...filesByChamber]
    .filter(([, files]) => files.length === 0)
    .map(([chamber]) => `${chamber} holds no file`),
  ...(sources.length < fewest ? [`fewer than ${fewest} modules: the checker did not see the house`] : []),
];
for (const [chamber, files] of filesByChamber) console.log(`${String(files.length).padStart(4)}  ${chamber}`);
for (const fault of faults) console.error(fault);
console.log(`${sources.length} modules of ours, ${total} in all, ${faults.length} faults`);
process.exitCode = faults.length > 0 ? 1 : 0;
