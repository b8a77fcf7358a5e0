import { Option, type Command } from "commander";

import type { CommandLine } from "../command-line.ts";
import type { OutputFormat } from "../report/reporter.ts";
import { exitCodes, outputOption, policyOption, repeatable, single, type Ending } from "./options.ts";

/** Options that cannot be combined with a keyless signer. */
const otherTrust = ["policy", "publicKey", "certificateChain"];

/** Options that name trusted signers and revocations without a policy. */
const trustOptions = (): readonly Option[] => [
  single("--public-key <file>", "trust this public key (PEM) and no other").conflicts([
    "policy",
    "certificateChain",
  ]),
  single("--certificate-chain <file>", "trust these root certificates (PEM) and no others").conflicts([
    "policy",
    "publicKey",
  ]),
  single(
    "--identity <name>",
    "trust this keyless signer: the whole e-mail address or URI in the certificate",
  ).conflicts(otherTrust),
  single("--issuer <url>", "OpenID Connect issuer who vouched for the identity").conflicts(otherTrust),
  new Option(
    "--trusted-root <file>",
    "Sigstore trusted_root.json that proves it (default: the public instance's, offline)",
  ).conflicts(otherTrust),
  repeatable(
    "--revocations <path>",
    "file or folder with SkillRevocationLists; may be repeated (with --policy: in its files)",
  ).conflicts("policy"),
];

/** Adds `verify DIR…` with its options and help. */
export function addVerify(program: Command, line: CommandLine, end: Ending): void {
  const command = program
    .command("verify")
    .summary("check skills: who signed them, and are they unchanged")
    .description(
      "Check skills: who signed them, and are they unchanged. With a policy, a key,\n" +
        "a certificate or an identity to trust, each skill passes or fails; with none\n" +
        "of them only the facts are shown.",
    )
    .argument("<dir...>", "folders of skills, each with a SKILL.md")
    .addOption(policyOption());
  for (const option of trustOptions()) command.addOption(option);
  command
    .option("--signature <name>", "signature file inside the skill (default: skill.oms.sig)")
    .addOption(outputOption())
    .addHelpText(
      "after",
      `${exitCodes}

Examples:
  skill-admission verify skills/* --certificate-chain nv-agent-root-cert.pem
  skill-admission verify my-skill --public-key my-skill.pub
  skill-admission verify my-skill --public-key my-skill.pub \\
    --revocations revoked.yaml
  skill-admission verify my-skill --identity me@example.com \\
    --issuer https://accounts.google.com
  skill-admission verify my-skill --identity ci@example.com \\
    --issuer https://oidc.example.com --trusted-root trusted_root.json
  skill-admission verify my-skill --public-key my-skill.pub \\
    --signature release.oms.sig
  skill-admission verify my-skill --policy policies/ -o sarif > results.sarif
  skill-admission verify skills/* --policy policies/ -o json | jq -r .outcome`,
    )
    .action(async (directories: readonly string[], options: VerifyFlags) => {
      const { verifySkills } = await import("../verify.ts");
      end(await verifySkills(directories, options, line));
    });
}

interface VerifyFlags {
  readonly policy?: readonly string[];
  readonly publicKey?: string;
  readonly certificateChain?: string;
  readonly identity?: string;
  readonly issuer?: string;
  readonly trustedRoot?: string;
  readonly revocations?: readonly string[];
  readonly signature?: string;
  readonly output: OutputFormat;
}
