import type { EvidenceSubject } from "../evidence/evidence-subject.ts";
import type { Evidence } from "../evidence/evidence.ts";
import type { TrustMaterial } from "../signature/trust-material.ts";
import { intersection } from "../signature/validity.ts";
import { verifySignatures, type VerifyOptions } from "../signature/verify.ts";

/** Evidence of a skill's signatures, without its card. */
export type SignatureFacts = Pick<Evidence, "signature" | "others" | "validity">;

/**
 * `assess` without the card. The readers of cards take longer to load than everything else together, and the command
 * line needs none unless a policy asks for a card.
 *
 * @param now milliseconds since 1970, at which certificates must be valid
 * @param options where the signature is, for a caller that names it; a review never does
 * @returns evidence whose `validity` is the span in which the evidence of every signature holds
 */
export function assessSignatures(
  { skill }: EvidenceSubject,
  trust: TrustMaterial,
  now: number,
  options: VerifyOptions = {},
): SignatureFacts {
  const [signature, ...others] = verifySignatures(skill, trust, now, options);
  return {
    signature,
    ...(others.length === 0 ? {} : { others }),
    validity: others.reduce((span, { validity }) => intersection(span, validity), signature.validity),
  };
}
