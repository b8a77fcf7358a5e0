/**
 * Generates the Grafana dashboard and the page about the metrics. With `--check` it writes nothing and fails if a
 * file is outdated.
 */
import { join } from "node:path";
import { format, resolveConfig } from "prettier";
import { dashboardJson } from "./generate/dashboard.ts";
import { rows } from "./generate/dashboard-rows.ts";
import { chart, root, writeOrCheck, type GeneratedFiles } from "./generate/files.ts";
import { metricsPage } from "./generate/metrics.ts";

/** All generated files by their path in the repository. */
export async function generatedFiles(): Promise<GeneratedFiles> {
  const config = await resolveConfig(join(root, "docs/metrics.md"));
  return new Map([
    [
      `${chart}/files/dashboards/skill-admission.json`,
      await format(JSON.stringify(dashboardJson(rows)), { ...config, parser: "json" }),
    ],
    ["docs/metrics.md", await format(metricsPage(), { ...config, parser: "markdown" })],
  ]);
}

if (import.meta.main) await writeOrCheck(await generatedFiles());
