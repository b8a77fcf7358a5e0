import type { Command } from "commander";

import type { CommandLine } from "../command-line.ts";
import type { Ending } from "./options.ts";

/** `sign DIR`: its arguments, options and help. */
export function addSign(program: Command, line: CommandLine, end: Ending): void {
  program
    .command("sign")
    .summary("sign a skill (OpenSSF Model Signing)")
    .description(
      "Sign every file of a skill. The signature is written to skill.oms.sig in its\n" +
        "folder; skill-admission verify checks it, and so does the reference tool,\n" +
        "model_signing.",
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
  skill-admission sign my-skill --key signer.key --certificate-chain chain.pem`,
    )
    .action(async (directory: string, options: SignFlags) => {
      const { signSkill } = await import("../sign.ts");
      end(await signSkill(directory, options, line));
    });
}

interface SignFlags {
  readonly key: string;
  readonly certificateChain?: string;
  readonly force?: boolean;
}
