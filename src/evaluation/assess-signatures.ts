import type { EvidenceSubject } from "../evidence/evidence-subject.ts";
import type { Evidence } from "../evidence/evidence.ts";
import type { TrustMaterial } from "../signature/trust-material.ts";
import { intersection } from "../signature/validity.ts";
import { verifySignatures, type VerifyOptions } from "../signature/verify.ts";

/** What a skill's signatures establish, without its card. */
export type SignatureFacts = Pick<Evidence, "signature" | "others" | "validity">;

/**
 * The part of `assess` that needs no card: the readers of cards take longer to load than everything else together, and the
 * command line asks for no card where no policy does.
 *
 * @param now milliseconds since 1970, at which certificates must be valid
 * @param options where the signature is, for a call that names it; a review never does
 * @returns facts that hold as long as the facts of every signature hold
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
