import { InvalidArgumentError, Option, type Command } from "commander";

import { folderFormats, signingFormats } from "../../signature/signature-evidence.ts";
import type { CommandLine } from "../command-line.ts";
import type { SignOptions } from "../sign/sign.ts";
import type { Ending } from "./options.ts";

/** Only OpenSSF Model Signing can leave room, for any of the others. */
const formatsBeside: readonly string[] = folderFormats.filter((format) => format !== "oms");

/** Rejects other values of `--beside`: commander takes a folder that follows the option for another format. */
function formatBeside(value: string, formats: readonly string[] = []): readonly string[] {
  if (formatsBeside.includes(value)) return [...formats, value];
  const words = `Allowed choices are ${formatsBeside.join(", ")}.`;
  throw new InvalidArgumentError(`${words} The skill's folder goes before --beside.`);
}

const environmentAndExamples = `
Environment:
  SKILL_ADMISSION_KEY_PASSPHRASE  opens an encrypted key
  SIGSTORE_ID_TOKEN               identity token, where --identity-token is not
                                  given; in GitHub Actions neither is needed

Examples:
  openssl ecparam -name prime256v1 -genkey -noout -out my-skill.key
  openssl pkey -in my-skill.key -pubout -out my-skill.pub
  skill-admission sign my-skill --key my-skill.key
  skill-admission sign my-skill --key signer.key --certificate-chain chain.pem
  skill-admission sign my-skill --key my-skill.key --beside guide
  openssl genpkey -algorithm ed25519 -out my-ed25519.key
  skill-admission sign my-skill --format guide --key my-ed25519.key
  skill-admission sign my-skill --keyless --identity-token token.jwt
  skill-admission sign my-skill --keyless --identity-token token.jwt \\
    --fulcio-url https://fulcio.example.com \\
    --rekor-url https://rekor.example.com \\
    --tsa-url https://tsa.example.com/api/v1/timestamp \\
    --trusted-root trusted_root.json
  skill-admission sign my-skill --keyless --trust-config trust-config.json`;

/** Adds `sign DIR` with its options and help. */
export function addSign(program: Command, line: CommandLine, end: Ending): void {
  const sign = program
    .command("sign")
    .summary("sign a skill (OpenSSF Model Signing, or the guide's format)")
    .description(
      "Sign every file of a skill. The signature is written into its folder, where\n" +
        "skill-admission verify finds it. Formats: oms is OpenSSF Model Signing\n" +
        "(skill.oms.sig), which the reference tool model_signing checks too; guide is\n" +
        "Ed25519 over canonical JSON (skill.sig) and demands a skill_card.yaml.\n" +
        "\n" +
        "With --keyless an identity signs in place of a key (Sigstore): the token's\n" +
        "identity is written into a public log, for everybody and for ever.",
    )
    .argument("<dir>", "the skill's folder")
    .addOption(
      new Option(
        "--key <file>",
        "private key (PEM): for oms ECDSA on P-256, P-384 or P-521, for guide Ed25519",
      ).conflicts(["keyless"]),
    )
    .addOption(
      new Option("--format <format>", "format of the signature").choices(signingFormats).default("oms"),
    )
    .addOption(
      new Option(
        "--certificate-chain <file>",
        "oms: certificates for that key (PEM), the signer's own first",
      ).conflicts(["keyless"]),
    )
    .addOption(
      new Option(
        "--beside <format...>",
        "oms: leave room for a signature of another format, made after this one",
      )
        .choices(formatsBeside)
        .argParser(formatBeside),
    )
    .option("--force", "replace a signature that is there already")
    .addHelpText("after", environmentAndExamples);
  addKeyless(sign).action(async (directory: string, options: SignOptions) => {
    const { signSkill } = await import("../sign/sign.ts");
    end(await signSkill(directory, options, line));
  });
}

/** Options of keyless signing. */
const addKeyless = (sign: Command): Command =>
  sign
    .optionsGroup("Keyless signing (oms):")
    .option("--keyless", "sign with an identity token instead of a key")
    .option("--identity-token <file>", "file with the token, - for standard input")
    .option("--fulcio-url <url>", "certificate authority (default: the public one)")
    .option("--rekor-url <url>", "transparency log (default: the public one)")
    .option("--tsa-url <url>", "timestamp authority (default: none)")
    .addOption(
      new Option(
        "--trust-config <file>",
        "a ClientTrustConfig, in place of these addresses and --trusted-root",
      ).conflicts(["fulcioUrl", "rekorUrl", "tsaUrl", "trustedRoot"]),
    )
    .option(
      "--trusted-root <file>",
      "trusted_root.json by which the signature is checked before it is written",
    );
