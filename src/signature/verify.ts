import type { Skill } from "../skill/skill.ts";
import { formatOf, formats, type Format } from "./formats.ts";
import { treeRootDigest } from "./oms/digest.ts";
import type { SignatureEvidence } from "./signature-evidence.ts";
import type { TrustMaterial } from "./trust-material.ts";
import { always } from "./validity.ts";

export interface VerifyOptions {
  /** Path of the signature file in the skill, if not the format's own (`model.sig`). Read as OMS. */
  readonly signaturePath?: string;
}

/** A signature in the skill, not verified yet. */
interface Claim {
  readonly format: Format;
  readonly path: string;
}

/** Finds the signatures of all formats: none hides another. */
function claimsOf(skill: Skill, { signaturePath }: VerifyOptions): readonly Claim[] {
  if (signaturePath === undefined)
    return formats.filter(({ isIn }) => isIn(skill)).map((format) => ({ format, path: format.file }));
  return skill.files.has(signaturePath) ? [{ format: formatOf.oms, path: signaturePath }] : [];
}

const order: readonly SignatureEvidence["outcome"][] = ["signed", "tampered", "untrusted", "unsigned"];

/**
 * Verifies every signature in a skill: signer, and whether the tree still matches. Synchronous and pure; faults become
 * evidence, never an exception.
 *
 * @param trust the only source of roots and keys
 * @param now milliseconds since 1970, at which certificates must be valid
 * @returns evidence of each signature, in the order of outcomes `signed`, `tampered`, `untrusted`; without any, one
 *   `unsigned`
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

/** The first evidence of `verifySignatures`: the strongest. */
export const verifySignature = (...asked: Parameters<typeof verifySignatures>): SignatureEvidence =>
  verifySignatures(...asked)[0];
