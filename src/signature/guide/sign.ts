import { sign, type KeyObject } from "node:crypto";
import { skillLimits } from "../../skill/limits.ts";
import { pathFault } from "../../skill/path.ts";
import type { Skill } from "../../skill/skill.ts";
import { isEd25519 } from "../ed25519.ts";
import { malformed, unsupported } from "../signature-error.ts";
import { quoted } from "../../text/printable.ts";
import { canonicalJson } from "../../text/canonical-json.ts";
import { guideCardFileName, guideSignatureFileName, isNamedAsSignature } from "./manifest.ts";

function nameFault(path: string): string | undefined {
  if (isNamedAsSignature(path)) return "is the signature file's, which only the skill's own folder has";
  if (path === "__proto__") return "is refused by strict readers of JSON";
  return pathFault(path);
}

/** Lists every file but the signature's own: the format leaves out no other. */
function listFiles(skill: Skill): ReadonlyMap<string, string> {
  const files = new Map<string, string>();
  for (const [path, file] of skill.files) {
    if (path === guideSignatureFileName) continue;
    const fault = nameFault(path);
    if (fault !== undefined)
      throw malformed(`cannot sign the file ${quoted(path)}: its name ${fault}; rename it`);
    files.set(path, `sha256:${file.sha256}`);
  }
  if (files.size > skillLimits.files) throw malformed(`the skill has more than ${skillLimits.files} files`);
  if (!files.has(guideCardFileName)) {
    throw malformed(
      `the skill ${quoted(skill.name)} has no ${guideCardFileName}, which this format demands: add the card`,
    );
  }
  return files;
}

/**
 * Builds the text to sign, as canonical JSON.
 * @throws SignatureError for a skill whose signature would not verify
 */
export function manifestOf(skill: Skill): string {
  if (skill.name === "" || !skill.name.isWellFormed())
    throw malformed("the skill's folder has no usable name");
  return canonicalJson(
    new Map<string, string | ReadonlyMap<string, string>>([
      ["files", listFiles(skill)],
      ["skill_root", skill.name],
    ]),
  );
}

/**
 * Signs a skill in the guide's format: Ed25519 over the list of all files as canonical JSON.
 * @param key private key, Ed25519
 * @returns the bytes of `skill.sig`
 * @throws SignatureError for a skill or key whose signature would not verify
 */
export function signGuide(skill: Skill, key: KeyObject): Uint8Array {
  if (key.type !== "private" || !isEd25519(key))
    throw unsupported(
      "this format is signed with an Ed25519 private key (openssl genpkey -algorithm ed25519)",
    );
  const manifest = manifestOf(skill);
  const signature = sign(null, Buffer.from(manifest), key).toString("hex");
  const file = new Map([
    ["alg", "ed25519"],
    ["manifest", manifest],
    ["signature", signature],
  ]);
  return Buffer.from(`${canonicalJson(file)}\n`);
}
