import { SignatureError } from "../../../signature/signature-error.ts";
import type { Signer as FoundSigner } from "../../../signature/signature-evidence.ts";
import type { Skill } from "../../../skill/skill.ts";
import { UsageError, type CommandLine } from "../../command-line.ts";
import type { Signer } from "../signer.ts";
import { readIdentityToken } from "./identity-token.ts";
import { readServices, type ServiceOptions } from "./services.ts";
import { signStatement } from "./sign.ts";

/** Options of keyless signing. */
export interface KeylessOptions extends ServiceOptions {
  /** File with the identity token; `-` is standard input. */
  readonly identityToken?: string;
}

/** Quotes an argument for the shell if necessary. */
const argument = (text: string): string =>
  /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;

function checkedBy(signer: FoundSigner | undefined, rootOption: string): string {
  if (signer?.kind !== "keyless") return rootOption;
  return `--identity ${argument(signer.identity)} --issuer ${argument(signer.issuer)}${rootOption}`;
}

/** @throws UsageError for a skill that verification would refuse */
function statementOf(skill: Skill, write: (skill: Skill) => Uint8Array): Uint8Array {
  try {
    return write(skill);
  } catch (cause) {
    if (!(cause instanceof SignatureError)) throw cause;
    throw new UsageError(cause.message, undefined, { cause });
  }
}

/**
 * Makes a signer with an identity instead of a key (Sigstore keyless).
 * @param statement writes the statement to sign
 * @throws UsageError if there is no token, or no service that may receive it
 */
export async function keylessSigner(
  statement: (skill: Skill) => Uint8Array,
  options: KeylessOptions,
  line: CommandLine,
): Promise<Signer> {
  const { config, root, rootOption } = await readServices(options, line.now());
  const token = await readIdentityToken(options.identityToken, line);
  return {
    sign: (skill) => signStatement(statementOf(skill, statement), config, token),
    trust: {
      version: root?.fingerprint ?? "none",
      anchors: [],
      keys: [],
      sigstore: root === undefined ? [] : [root],
    },
    mustBeTrusted: root !== undefined,
    remedy: "name the trusted root of the Sigstore instance that signs",
    checkedBy: (signer) => checkedBy(signer, rootOption),
    ...(root === undefined
      ? {
          warning:
            "that this Sigstore instance signed was not checked: name its trusted root with --trusted-root",
        }
      : {}),
  };
}
