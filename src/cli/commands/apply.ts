import { Option, type Command } from "commander";

import type { ApplyOptions } from "../apply/apply-resources.ts";
import type { CommandLine } from "../command-line.ts";
import { exitCodes, outputOption, policyOption, repeatable, type Ending } from "./options.ts";

const notesAndExamples = `
With --cluster, ConfigMaps, Namespaces, trust roots and revocation lists that
the files lack are read from the cluster; so are the policies where there is no
--policy, and the pods where there is no --resource. Rights to get and list
suffice: docs/cli.md has a ClusterRole.

The JSON output lists, for every skill, each file as the agent would see it,
with its digest.
${exitCodes}

Examples:
  skill-admission apply --policy policies/ --resource deploy/
  skill-admission apply --cluster --as-mode Enforce
  skill-admission apply --cluster --policy p/ --namespace payments
  kubectl kustomize . | skill-admission apply --policy p/ -f - --cluster
  helm template chart/ | skill-admission apply --policy policies/ -f -
  skill-admission apply --resource deploy/ --cluster --kubeconfig staging.yaml \\
    --context staging --controller-namespace security
  skill-admission apply --policy policies/ --resource pod.yaml -o json`;

/** Adds `apply` with its options and help. */
export function addApply(program: Command, line: CommandLine, end: Ending): void {
  program
    .command("apply")
    .summary("show what the webhook would admit")
    .description(
      "Show what the webhook would admit, without a webhook: every object in the\n" +
        "files that makes a pod, or every pod of a cluster, is held against the\n" +
        "policies of files or of the cluster. Nothing is changed.",
    )
    .addOption(policyOption())
    .addOption(
      repeatable(
        "-f, --resource <path>",
        "file or folder with manifests, - for standard input; may be repeated",
      ),
    )
    .option("--cluster", "read from the cluster what the files lack (below)")
    .option("--kubeconfig <file>", "how to reach that cluster (default: as kubectl does)")
    .option("--context <name>", "context of the kubeconfig (default: its current one)")
    .option(
      "-n, --namespace <name>",
      "for objects that name none (default: default); without --resource, whose pods (default: all)",
    )
    .addOption(
      new Option("--as-mode <mode>", "as if every policy were in this mode").choices([
        "Enforce",
        "Warn",
        "Audit",
      ]),
    )
    .option(
      "--controller-namespace <name>",
      "where the cluster's trust roots find what they refer to",
      "skill-admission",
    )
    .addOption(outputOption())
    .addHelpText("after", notesAndExamples)
    .action(async (options: ApplyOptions) => {
      const { applyResources } = await import("../apply/apply-resources.ts");
      end(await applyResources(options, line));
    });
}
