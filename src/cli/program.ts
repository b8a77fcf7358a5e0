import { Command, CommanderError, Option } from "commander";

import { exitCode, UsageError, type CommandLine, type ServeFlag } from "./command-line.ts";
import { outputFormats, type OutputFormat } from "./report/reporter.ts";

const collect = (value: string, previous: readonly string[] | undefined): readonly string[] => [
  ...(previous ?? []),
  value,
];

const output = (): Option =>
  new Option("-o, --output <format>", "how to write the result").choices(outputFormats).default("table");

const policy = (): Option =>
  new Option("--policy <path>", "file or folder with policies and trust roots; may be repeated").argParser(
    collect,
  );

const exits = `
Exit code: 0 passed, 1 a policy is violated, 2 wrong call or bad input, 3 could not be evaluated.`;

/** Where the exit code of a command goes. */
type Ending = (code: number) => void;

function addVerify(program: Command, line: CommandLine, end: Ending): void {
  program
    .command("verify")
    .summary("check skills: who signed them, and are they unchanged")
    .description(
      "Check skills: who signed them, and are they unchanged. With a policy, a key or a\n" +
        "certificate to trust, each skill passes or fails; with none of them only the facts are shown.",
    )
    .argument("<dir...>", "folders of skills, each with a SKILL.md")
    .addOption(policy())
    .addOption(
      new Option("--public-key <file>", "trust this public key (PEM) and no other").conflicts([
        "policy",
        "certificateChain",
      ]),
    )
    .addOption(
      new Option("--certificate-chain <file>", "trust these root certificates (PEM) and no others").conflicts(
        ["policy", "publicKey"],
      ),
    )
    .option("--signature <name>", "signature file inside the skill (default: skill.oms.sig)")
    .addOption(output())
    .addHelpText(
      "after",
      `${exits}

Examples:
  skill-admission verify skills/* --certificate-chain nv-agent-root-cert.pem
  skill-admission verify my-skill --public-key my-skill.pub
  skill-admission verify my-skill --policy policies/ -o sarif > results.sarif
  skill-admission verify skills/* --policy policies/ -o json | jq -r 'select(.outcome == "deny").skill'`,
    )
    .action(async (directories: readonly string[], options: VerifyFlags) => {
      const { verifySkills } = await import("./verify.ts");
      end(await verifySkills(directories, options, line));
    });
}

interface VerifyFlags {
  readonly policy?: readonly string[];
  readonly publicKey?: string;
  readonly certificateChain?: string;
  readonly signature?: string;
  readonly output: OutputFormat;
}

function addApply(program: Command, line: CommandLine, end: Ending): void {
  program
    .command("apply")
    .summary("show what the webhook would admit")
    .description(
      "Show what the webhook would admit, without a webhook: every object in the files that makes a\n" +
        "pod is held against the policies, with the ConfigMaps and Namespaces of the same files.",
    )
    .addOption(policy().makeOptionMandatory())
    .addOption(
      new Option("--resource <path>", "file or folder with manifests, - for standard input; may be repeated")
        .argParser(collect)
        .makeOptionMandatory(),
    )
    .option("--cluster", "read ConfigMaps and Namespaces that the files lack from the cluster")
    .option("--kubeconfig <file>", "how to reach that cluster (default: as kubectl does)")
    .option("-n, --namespace <name>", "for objects that name none", "default")
    .addOption(output())
    .addHelpText(
      "after",
      `
The JSON output lists, for every skill, each file as the agent would see it, with its digest.
${exits}

Examples:
  skill-admission apply --policy policies/ --resource deploy/
  kubectl kustomize . | skill-admission apply --policy policies/ --resource - --cluster
  skill-admission apply --policy policies/ --resource pod.yaml -o json | jq '.skills[].files'`,
    )
    .action(async (options: ApplyFlags) => {
      const { applyResources } = await import("./apply.ts");
      end(await applyResources(options, line));
    });
}

interface ApplyFlags {
  readonly policy: readonly string[];
  readonly resource: readonly string[];
  readonly cluster?: boolean;
  readonly kubeconfig?: string;
  readonly namespace: string;
  readonly output: OutputFormat;
}

function addSign(program: Command, line: CommandLine, end: Ending): void {
  program
    .command("sign")
    .summary("sign a skill (OpenSSF Model Signing)")
    .description(
      "Sign every file of a skill. The signature is written to skill.oms.sig in its folder, and can be\n" +
        "checked by skill-admission verify and by the model_signing reference tool.",
    )
    .argument("<dir>", "the skill's folder")
    .requiredOption("--key <file>", "private key (PEM): ECDSA on P-256, P-384 or P-521")
    .option("--certificate-chain <file>", "certificates for that key (PEM), the signer's own first")
    .option("--force", "replace a signature that is there already")
    .addHelpText(
      "after",
      `
Environment:
  SKILL_ADMISSION_KEY_PASSPHRASE  opens an encrypted key

Examples:
  openssl ecparam -name prime256v1 -genkey -noout -out my-skill.key
  openssl pkey -in my-skill.key -pubout -out my-skill.pub
  skill-admission sign my-skill --key my-skill.key
  skill-admission sign my-skill --key signer.key --certificate-chain signer-chain.pem`,
    )
    .action(async (directory: string, options: SignFlags) => {
      const { signSkill } = await import("./sign.ts");
      end(await signSkill(directory, options, line));
    });
}

interface SignFlags {
  readonly key: string;
  readonly certificateChain?: string;
  readonly force?: boolean;
}

function addPackage(program: Command, line: CommandLine, end: Ending): void {
  program
    .command("package")
    .summary("write ConfigMaps that carry a skill, and the volume that mounts it")
    .description(
      "Write immutable ConfigMaps, named after their content, that carry a skill, and the volume that\n" +
        "mounts them as exactly the signed tree. The output goes straight into kubectl apply -f -.",
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
      new Option("--with-pod <image>", "add an example pod that mounts the skill").conflicts("podSnippet"),
    )
    .option("--pod-snippet", "write only the volume and its mount, to paste into a pod")
    .addHelpText(
      "after",
      `
Examples:
  skill-admission package my-skill --namespace payments | kubectl apply -f -
  skill-admission package my-skill --pod-snippet
  skill-admission package my-skill --with-pod registry.example/agent@sha256:… > agent.yaml`,
    )
    .action(async (directory: string, options: PackageFlags) => {
      const { packageSkill } = await import("./package-skill.ts");
      end(await packageSkill(directory, options, line));
    });
}

interface PackageFlags {
  readonly name?: string;
  readonly namespace?: string;
  readonly mountPath?: string;
  readonly output: "yaml" | "json";
  readonly withPod?: string;
  readonly podSnippet?: boolean;
}

const serveHelp = ({ description, env, default: fallback }: ServeFlag): string =>
  `${description} (${fallback === undefined ? "" : `default: ${fallback}; `}${env})`;

function addServe(program: Command, line: CommandLine, end: Ending, flags: readonly ServeFlag[]): void {
  const command = program
    .command("serve")
    .summary("run the admission webhook")
    .description(
      "Run the admission webhook: in a cluster, beside one (--kubeconfig and --webhook-url), or without\n" +
        "any on a folder of manifests (--state).",
    );
  for (const each of flags) command.option(each.flag, serveHelp(each));
  command
    .addHelpText(
      "after",
      `
Examples:
  skill-admission serve --state manifests/
  skill-admission serve --kubeconfig ~/.kube/config --webhook-url https://192.0.2.1:8443`,
    )
    .action(async (given: Readonly<Record<string, string>>) => {
      end(await line.serve(given));
    });
}

/**
 * The command line's commands and options.
 * @param end is told the exit code of the command that ran
 * @param serveFlags the options of `serve`; knowing them takes time, so that other commands go without
 */
export function buildProgram(line: CommandLine, end: Ending, serveFlags: readonly ServeFlag[] = []): Command {
  const program = new Command("skill-admission")
    .description("Kubernetes admission control for AI agent skills: signatures, cards and policies.")
    .version(line.version)
    .showHelpAfterError("(add --help for how to call it)")
    .configureOutput({
      writeOut: line.stdout.write,
      writeErr: line.stderr.write,
      getOutHelpWidth: () => line.stdout.columns ?? 80,
      getErrHelpWidth: () => line.stderr.columns ?? 80,
      getOutHasColors: () => line.stdout.isTerminal && line.colour,
      getErrHasColors: () => line.stderr.isTerminal && line.colour,
    })
    .exitOverride();
  addVerify(program, line, end);
  addApply(program, line, end);
  addSign(program, line, end);
  addPackage(program, line, end);
  addServe(program, line, end, serveFlags);
  return program;
}

/** What went wrong first, what to do about it last. */
function errorText(error: UsageError): string {
  const remedy = error.remedy === undefined ? "" : `${error.remedy}\n`;
  return `error: ${error.message}\n${remedy}`;
}

/**
 * Runs one call of the command line. Never rejects for what a caller can do wrong; other errors are faults of the
 * program and pass through.
 * @param args what follows the program's name
 * @returns the exit code
 */
export async function runCommandLine(args: readonly string[], line: CommandLine): Promise<number> {
  let code: number = exitCode.pass;
  const serveFlags = args.includes("serve") ? await line.serveFlags() : [];
  const ending: Ending = (ended) => {
    code = ended;
  };
  const program = buildProgram(line, ending, serveFlags);
  try {
    await program.parseAsync(args, { from: "user" });
    return code;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCode.pass : exitCode.usage;
    if (!(error instanceof UsageError)) throw error;
    line.stderr.write(errorText(error));
    return exitCode.usage;
  }
}
