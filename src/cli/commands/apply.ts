import type { Command } from "commander";

import type { ApplyOptions } from "../apply.ts";
import type { CommandLine } from "../command-line.ts";
import { exitCodes, outputOption, policyOption, repeatable, type Ending } from "./options.ts";

/** Adds `apply` with its options and help. */
export function addApply(program: Command, line: CommandLine, end: Ending): void {
  program
    .command("apply")
    .summary("show what the webhook would admit")
    .description(
      "Show what the webhook would admit, without a webhook: every object in the\n" +
        "files that makes a pod is held against the policies, with the ConfigMaps and\n" +
        "Namespaces of the same files.",
    )
    .addOption(policyOption().makeOptionMandatory())
    .addOption(
      repeatable(
        "--resource <path>",
        "file or folder with manifests, - for standard input; may be repeated",
      ).makeOptionMandatory(),
    )
    .option("--cluster", "read ConfigMaps and Namespaces that the files lack from the cluster")
    .option("--kubeconfig <file>", "how to reach that cluster (default: as kubectl does)")
    .option("-n, --namespace <name>", "for objects that name none", "default")
    .addOption(outputOption())
    .addHelpText(
      "after",
      `
The JSON output lists, for every skill, each file as the agent would see it,
with its digest.
${exitCodes}

Examples:
  skill-admission apply --policy policies/ --resource deploy/
  kubectl kustomize . | skill-admission apply --policy p/ --resource - --cluster
  skill-admission apply --policy p/ --resource deploy/ --namespace payments \\
    --cluster --kubeconfig staging.yaml
  skill-admission apply --policy policies/ --resource pod.yaml -o json`,
    )
    .action(async (options: ApplyOptions) => {
      const { applyResources } = await import("../apply.ts");
      end(await applyResources(options, line));
    });
}
