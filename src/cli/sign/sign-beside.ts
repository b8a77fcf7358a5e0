import { parseBundle } from "../../signature/sigstore/bundle.ts";
import { signatureFileName } from "../../signature/oms/manifest.ts";
import { parseStatement } from "../../signature/oms/statement.ts";
import { SignatureError } from "../../signature/signature-error.ts";
import { signatureFiles, type FolderFormat } from "../../signature/signature-files.ts";
import { hasTrustCardSignature } from "../../signature/trust-card/verify.ts";
import type { Skill } from "../../skill/skill.ts";

/** Files of a signature of each of these formats. */
export const filesOf = (formats: readonly FolderFormat[]): readonly string[] =>
  formats.flatMap((format) => [...signatureFiles[format].proved, ...signatureFiles[format].unsigned]);

/** Does the OMS signature that is there leave a file out of its list. One that cannot be read does not. */
function isLeftOutByOms({ files }: Skill, path: string): boolean {
  try {
    const { payload } = parseBundle(files.get(signatureFileName)?.bytes ?? new Uint8Array());
    return parseStatement(payload).ignored.covers(path);
  } catch (cause) {
    if (cause instanceof SignatureError) return false;
    throw cause;
  }
}

/** Would the signature of this format that is there fail for a new signature file beside it. */
function isBrokenBy(skill: Skill, format: FolderFormat, path: string): boolean {
  const { name, passesOver } = signatureFiles[format];
  if (name === path || !skill.files.has(name) || passesOver(path)) return false;
  if (format === "trust-card") return hasTrustCardSignature(skill);
  return format !== "oms" || !isLeftOutByOms(skill, path);
}

/**
 * What to tell of signatures that are there already and do not know the new one.
 * @param path of the new signature
 * @param leftOut by the new signature, for others that are to follow
 */
export const besideWarnings = (skill: Skill, path: string, leftOut: readonly string[]): readonly string[] =>
  (Object.keys(signatureFiles) as readonly FolderFormat[])
    .filter((format) => isBrokenBy(skill, format, path))
    .map((format) => {
      const { name } = signatureFiles[format];
      return leftOut.includes(name)
        ? `${name} is there already and does not know the new ${path}: make it anew`
        : `${name} is there too, and does not cover ${path}: a policy that trusts its signer denies the skill, unless it says otherSignatures; docs/formats/several.md says in which order both can be made`;
    });
