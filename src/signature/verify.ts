import type { Skill } from "../skill/skill.ts";
import { signatureFileName } from "./detect.ts";
import { verifyOms } from "./oms/verify.ts";
import { treeRootDigest } from "./root-digest.ts";
import { always, type SignatureEvidence, type SignatureFormat } from "./signature-evidence.ts";
import type { TrustMaterial } from "./trust-material.ts";

/** One signature format: the file that shows it, and who verifies it. */
interface Format {
  readonly name: SignatureFormat;
  /** Path of the signature file in a skill. */
  readonly path: string;
  readonly verify: (skill: Skill, path: string, trust: TrustMaterial, now: number) => SignatureEvidence;
}

const oms: Format = { name: "oms", path: signatureFileName, verify: verifyOms };

/** All formats, in the order in which they are looked for. */
const formats: readonly Format[] = [oms];

export interface VerifyOptions {
  /** The signature file's path in the skill, where it is not the format's own (`model.sig`). Read as OMS. */
  readonly signaturePath?: string;
}

function detect(skill: Skill, { signaturePath }: VerifyOptions): Format | undefined {
  const candidates = signaturePath === undefined ? formats : [{ ...oms, path: signaturePath }];
  return candidates.find(({ path }) => skill.files.has(path));
}

/**
 * Establishes who signed a skill, and whether it is still what was signed. Synchronous and pure; whatever the bytes
 * hold, the answer is evidence, never an exception.
 *
 * @param trust all that is trusted here; roots come from nowhere else
 * @param now milliseconds since 1970, at which certificates must be valid
 */
export function verifySignature(
  skill: Skill,
  trust: TrustMaterial,
  now: number,
  options: VerifyOptions = {},
): SignatureEvidence {
  const format = detect(skill, options);
  if (format === undefined)
    return { outcome: "unsigned", digest: treeRootDigest(skill.files), validity: always };
  return format.verify(skill, format.path, trust, now);
}
