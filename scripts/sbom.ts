/**
 * Prints the bill of materials of the packages that run in production: `sbom.ts [PROJECT]`. PROJECT is a folder with
 * package.json, package-lock.json and node_modules; by default this project. SOURCE_DATE_EPOCH sets its time.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";

import { productionOf } from "./image/installed-packages.ts";
import { sbomOf } from "./image/sbom.ts";

const [project = join(import.meta.dirname, "..")] = process.argv.slice(2);
const { packages } = JSON.parse(readFileSync(join(project, "package-lock.json"), "utf8")) as {
  readonly packages: Readonly<Record<string, { readonly integrity?: string }>>;
};
const epoch = process.env["SOURCE_DATE_EPOCH"] ?? "";
process.stdout.write(
  sbomOf({
    production: productionOf(project),
    integrity: (path) => packages[path]?.integrity,
    ...(epoch === "" ? {} : { timestamp: new Date(Number(epoch) * 1000) }),
  }),
);
