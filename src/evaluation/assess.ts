import { readCard } from "../card/read-card.ts";
import { readVettAnalysis } from "../card/vett-analysis.ts";
import type { EvidenceSubject } from "../evidence/evidence-subject.ts";
import type { Evidence } from "../evidence/evidence.ts";
import type { TrustMaterial } from "../signature/trust-material.ts";
import type { VerifyOptions } from "../signature/verify.ts";
import { assessSignatures } from "./assess-signatures.ts";

/**
 * Everything that can be established about one skill: the one way from bytes to evidence, for reviews and for
 * the command line alike.
 *
 * @param now milliseconds since 1970, at which certificates must be valid
 * @param options where the signature is, for a call that names it; a review never does
 */
export function assess(
  subject: EvidenceSubject,
  trust: TrustMaterial,
  now: number,
  options: VerifyOptions = {},
): Evidence {
  const { skill } = subject;
  const scan = readVettAnalysis(skill);
  return {
    ...assessSignatures(subject, trust, now, options),
    card: readCard(skill),
    ...(scan === undefined ? {} : { scan }),
  };
}
