import type { Command } from "commander";

import type { CommandLine, ServeFlag } from "../command-line.ts";
import type { Ending } from "./options.ts";

const serveHelp = ({ description, env, example, default: fallback }: ServeFlag): string =>
  `${description} (${fallback === undefined ? "" : `default: ${fallback}; `}example: ${example}; ${env})`;

/** Adds `serve` with the options that the configuration defines. */
export function addServe(
  program: Command,
  line: CommandLine,
  end: Ending,
  flags: readonly ServeFlag[],
): void {
  const command = program
    .command("serve")
    .summary("run the admission webhook")
    .description(
      "Run the admission webhook: in a cluster, beside one (--kubeconfig and\n" +
        "--webhook-url), or without any on a folder of manifests (--state).",
    );
  for (const each of flags) command.option(each.flag, serveHelp(each));
  command
    .addHelpText(
      "after",
      `
Examples:
  skill-admission serve --state examples/policies/
  skill-admission serve --kubeconfig staging.yaml \\
    --webhook-url https://192.0.2.1:8443`,
    )
    .action(async (given: Readonly<Record<string, string>>) => {
      end(await line.serve(given));
    });
}
