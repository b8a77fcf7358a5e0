import type { Command } from "commander";

import { runCanary, type CanaryFlags } from "../canary.ts";
import type { CommandLine } from "../command-line.ts";
import type { Ending } from "./options.ts";

/** Adds `canary` with its options and help. */
export function addCanary(program: Command, line: CommandLine, end: Ending): void {
  program
    .command("canary")
    .summary("see that the webhook denies an unsigned skill")
    .description(
      "Ask the API server, without storing anything, to create a pod with an\n" +
        "unsigned skill where a policy denies it, until it is denied. A pod without\n" +
        "skills must be let in there, or the answer proves nothing. `helm test` runs\n" +
        "it, and makes what it needs: namespace, policy and the skill's ConfigMap.",
    )
    .option("--in-cluster", "with the credentials of the pod that this runs in")
    .option("--kubeconfig <file>", "by this file; without either as kubectl would")
    .option("--namespace <name>", "where; default skill-admission-canary")
    .option("--config-map <name>", "the skill; default skill-admission-canary")
    .option("--timeout <seconds>", "give up after so long, 5 to 600", "60")
    .addHelpText(
      "after",
      `
Exit code: 0 it is denied, 1 it is let in: nothing is checked, 2 wrong
call, 3 neither was seen.

Examples:
  skill-admission canary --in-cluster
  skill-admission canary --kubeconfig staging.yaml --timeout 30 \\
    --namespace canary --config-map unsigned`,
    )
    .action(async (flags: CanaryFlags) => {
      end(await runCanary(flags, line));
    });
}
