import { readCard } from "../card/read-card.ts";
import { readVettAnalysis } from "../card/vett-analysis.ts";
import type { Evidence } from "../evidence/evidence.ts";
import { intersection } from "../signature/validity.ts";
import { verifySignatures, type VerifyOptions } from "../signature/verify.ts";
import type { TrustMaterial } from "../signature/trust-material.ts";
import type { Skill } from "../skill/skill.ts";

/**
 * Everything that can be established about one skill: the one way from bytes to evidence, for reviews and for
 * the command line alike.
 *
 * @param now milliseconds since 1970, at which certificates must be valid
 * @param options where the signature is, for a call that names it; a review never does
 */
export function assess(
  skill: Skill,
  trust: TrustMaterial,
  now: number,
  options: VerifyOptions = {},
): Evidence {
  const [signature, ...others] = verifySignatures(skill, trust, now, options);
  const scan = readVettAnalysis(skill);
  return {
    signature,
    ...(others.length === 0 ? {} : { others }),
    card: readCard(skill),
    ...(scan === undefined ? {} : { scan }),
    validity: others.reduce((span, { validity }) => intersection(span, validity), signature.validity),
  };
}
