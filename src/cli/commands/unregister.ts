import type { Command } from "commander";

import type { CommandLine } from "../command-line.ts";
import { runUnregister, type UnregisterFlags } from "../unregister.ts";
import type { Ending } from "./options.ts";

/** Adds `unregister` with its options and help. */
export function addUnregister(program: Command, line: CommandLine, end: Ending): void {
  program
    .command("unregister")
    .summary("take the webhook out of the API server's way")
    .description(
      "Delete the webhook's registration and tell running replicas to leave it\n" +
        "so: before they are removed, or when it has to go at once. From then on\n" +
        "nothing is checked. May be repeated.",
    )
    .option("--in-cluster", "with the credentials of the pod that this runs in")
    .option("--kubeconfig <file>", "by this file; without either as kubectl would")
    .option("--namespace <name>", "where it is installed (SKILL_ADMISSION_NAMESPACE)")
    .option("--service <name>", "its Service (SKILL_ADMISSION_SERVICE)")
    .option("--lease <name>", "the Lease of its replicas (SKILL_ADMISSION_LEASE)")
    .option("--timeout <seconds>", "give up after so long, 5 to 600", "30")
    .addHelpText(
      "after",
      `
The namespace is POD_NAMESPACE, or skill-admission, where it is not given;
Service and Lease are called skill-admission.

Exit code: 0 it is gone and stays so, 2 wrong call, 3 it could not be removed.

Examples:
  skill-admission unregister --namespace skill-admission
  skill-admission unregister --in-cluster
  skill-admission unregister --kubeconfig staging.yaml --timeout 60 \\
    --namespace security --service skill-webhook --lease skill-webhook`,
    )
    .action(async (flags: UnregisterFlags) => {
      end(await runUnregister(flags, line));
    });
}
