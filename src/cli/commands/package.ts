import { Option, type Command } from "commander";

import { packageForms, type PackageCommandOptions } from "../package/package-options.ts";
import type { CommandLine } from "../command-line.ts";
import type { Ending } from "./options.ts";

/** Adds `package DIR` with its options and help. */
export function addPackage(program: Command, line: CommandLine, end: Ending): void {
  program
    .command("package")
    .summary("write ConfigMaps that carry a skill, and the volume that mounts it")
    .description(
      "Write immutable ConfigMaps, named after their content, that carry a skill, and\n" +
        "the volume that mounts them as exactly the signed tree. The output goes\n" +
        "straight into kubectl apply -f -.",
    )
    .argument("<dir>", "the skill's folder")
    .option("--name <name>", "what the ConfigMaps' names begin with (default: the folder's name)")
    .option("--namespace <name>", "namespace to write into the manifests")
    .option(
      "--mount-path <path>",
      "the skill's folder inside the container (default: /skills/<folder's name>)",
    )
    .addOption(
      new Option("-o, --output <format>", "how to write the manifests")
        .choices(["yaml", "json"])
        .default("yaml"),
    )
    .addOption(
      new Option("--as <form>", "only a patch for kubectl patch deployment, or a kustomize Component")
        .choices(packageForms)
        .conflicts(["withPod", "podSnippet"]),
    )
    .option("--container <name>", "the pod's container that mounts the skill", "agent")
    .option("--deployment <name>", "with --as kustomize: the Deployment to patch (default: every one)")
    .option("--to <dir>", "with --as kustomize: the folder to write")
    .addOption(
      new Option("--with-pod <image>", "add an example pod that mounts the skill").conflicts("podSnippet"),
    )
    .option("--pod-snippet", "write only the volume and its mount, to paste into a pod")
    .addHelpText(
      "after",
      `
Examples:
  skill-admission package my-skill --namespace payments | kubectl apply -f -
  skill-admission package my-skill --pod-snippet
  skill-admission package my-skill --name team-skill \\
    --mount-path /opt/skills/my-skill --output json > team-skill.json
  skill-admission package my-skill --with-pod busybox:1.37 > agent.yaml
  skill-admission package my-skill --as deployment-patch \\
    --container agent > patch.yaml
  skill-admission package my-skill --as kustomize --to components/my-skill \\
    --deployment web --container agent`,
    )
    .action(async (directory: string, options: PackageCommandOptions) => {
      const { packageSkill } = await import("../package/package-skill.ts");
      end(await packageSkill(directory, options, line));
    });
}
