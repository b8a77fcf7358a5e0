import { yamlDocument } from "../files/yaml-document.ts";
import type { Reporter, TableLayout } from "./report-item.ts";
import type { TableOutput } from "./table.ts";

/** Formats of `-o`. */
export const outputFormats = ["table", "json", "yaml", "sarif", "junit"] as const;

export type OutputFormat = (typeof outputFormats)[number];

const nothing = (): void => undefined;

/**
 * Reporter for a format. SARIF, JUnit and YAML are loaded on demand.
 * @param suite name of the JUnit test suite, `skill-admission verify`
 */
export async function createReporter(
  format: OutputFormat,
  output: TableOutput,
  {
    layout,
    suite,
    version,
  }: { readonly layout: TableLayout; readonly suite: string; readonly version: string },
): Promise<Reporter> {
  switch (format) {
    case "table":
      return (await import("./table.ts")).tableReporter(output, layout);
    case "json":
      return { item: ({ document }) => output.write(`${JSON.stringify(document)}\n`), end: nothing };
    case "yaml":
      return { item: ({ document }) => output.write(`---\n${yamlDocument(document)}`), end: nothing };
    case "sarif":
      return (await import("./sarif.ts")).sarifReporter(output.write, version);
    case "junit":
      return (await import("./junit.ts")).junitReporter(output.write, suite);
  }
}
