import type { Skill } from "../skill/skill.ts";
import { formatOf, formats, type Format } from "./formats.ts";
import { treeRootDigest } from "./oms/digest.ts";
import type { SignatureEvidence } from "./signature-evidence.ts";
import type { TrustMaterial } from "./trust-material.ts";
import { always } from "./validity.ts";

export interface VerifyOptions {
  /** The signature file's path in the skill, where it is not the format's own (`model.sig`). Read as OMS. */
  readonly signaturePath?: string;
}

/** A signature that is there, of whatever worth. */
interface Claim {
  readonly format: Format;
  readonly path: string;
}

/** Of every format whose signature is there: none hides another. */
function claimsOf(skill: Skill, { signaturePath }: VerifyOptions): readonly Claim[] {
  if (signaturePath === undefined)
    return formats.filter(({ isIn }) => isIn(skill)).map((format) => ({ format, path: format.file }));
  return skill.files.has(signaturePath) ? [{ format: formatOf.oms, path: signaturePath }] : [];
}

const order: readonly SignatureEvidence["outcome"][] = ["signed", "tampered", "untrusted", "unsigned"];

/**
 * Establishes who signed a skill, and whether it is still what was signed: by every signature in it. Synchronous and
 * pure; whatever the bytes hold, the answer is evidence, never an exception.
 *
 * @param trust all that is trusted here; roots come from nowhere else
 * @param now milliseconds since 1970, at which certificates must be valid
 * @returns one for each signature file, those that prove most first; where there is none, one that says so
 */
export function verifySignatures(
  skill: Skill,
  trust: TrustMaterial,
  now: number,
  options: VerifyOptions = {},
): readonly [SignatureEvidence, ...SignatureEvidence[]] {
  const claims = claimsOf(skill, options);
  const [first, ...others] = claims
    .map(({ format, path }) => ({
      ...format.verify(skill, path, trust, now),
      ...(claims.length > 1 ? { path } : {}),
    }))
    .sort((one, other) => order.indexOf(one.outcome) - order.indexOf(other.outcome));
  return first === undefined
    ? [{ outcome: "unsigned", digest: treeRootDigest(skill.files), validity: always }]
    : [first, ...others];
}

/** The signature that proves most. */
export const verifySignature = (...asked: Parameters<typeof verifySignatures>): SignatureEvidence =>
  verifySignatures(...asked)[0];
