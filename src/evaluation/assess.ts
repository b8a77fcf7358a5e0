import { defined } from "../text/fields.ts";
import { readCard } from "../card/read-card.ts";
import { readVettAnalysis } from "../card/vett-analysis.ts";
import type { EvidenceSubject } from "../evidence/evidence-subject.ts";
import type { Evidence } from "../evidence/evidence.ts";
import type { TrustMaterial } from "../signature/trust-material.ts";
import type { VerifyOptions } from "../signature/verify.ts";
import { assessSignatures } from "./assess-signatures.ts";

/**
 * Assesses one skill: signatures, card and scan. Reviews and the command line share this one way from bytes to
 * evidence.
 *
 * @param now milliseconds since 1970, at which certificates must be valid
 * @param options where the signature is, for a caller that names it; a review never does
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
    ...defined({ scan }),
  };
}
