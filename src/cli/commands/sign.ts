import { Option, type Command } from "commander";

import type { CommandLine } from "../command-line.ts";
import type { Ending } from "./options.ts";

/** `sign DIR`: its arguments, options and help. */
export function addSign(program: Command, line: CommandLine, end: Ending): void {
  program
    .command("sign")
    .summary("sign a skill (OpenSSF Model Signing, or the guide's format)")
    .description(
      "Sign every file of a skill. The signature is written into its folder, where\n" +
        "skill-admission verify finds it. Formats: oms is OpenSSF Model Signing\n" +
        "(skill.oms.sig), which the reference tool model_signing checks too; guide is\n" +
        "Ed25519 over canonical JSON (skill.sig) and demands a skill_card.yaml.",
    )
    .argument("<dir>", "the skill's folder")
    .requiredOption(
      "--key <file>",
      "private key (PEM): for oms ECDSA on P-256, P-384 or P-521, for guide Ed25519",
    )
    .addOption(
      new Option("--format <format>", "format of the signature").choices(["oms", "guide"]).default("oms"),
    )
    .option("--certificate-chain <file>", "oms: certificates for that key (PEM), the signer's own first")
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
  skill-admission sign my-skill --key signer.key --certificate-chain chain.pem
  openssl genpkey -algorithm ed25519 -out my-ed25519.key
  skill-admission sign my-skill --format guide --key my-ed25519.key`,
    )
    .action(async (directory: string, options: SignFlags) => {
      const { signSkill } = await import("../sign.ts");
      end(await signSkill(directory, options, line));
    });
}

interface SignFlags {
  readonly key: string;
  readonly format: "oms" | "guide";
  readonly certificateChain?: string;
  readonly force?: boolean;
}
