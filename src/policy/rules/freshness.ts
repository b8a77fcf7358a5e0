import { gradeFreshness, isYetToCome, signingTime } from "../../evidence/freshness.ts";
import { meets, type Grade } from "../../evidence/grade.ts";
import type { SignatureEvidence } from "../../signature/signature-evidence.ts";
import { spanText, timeText } from "../../text/time.ts";
import type { Finding } from "../finding.ts";
import type { Policy } from "../policy.ts";
import { outsideTrustPeriod } from "./periods.ts";
import { isByPublisher } from "./publishers.ts";

/**
 * Reports a signature that is older than the policy allows. A signature refused for another reason has a finding of
 * its own; an unsigned skill has no age.
 * @param now milliseconds since 1970
 */
export function freshnessFindings(
  { freshness }: Policy,
  signature: SignatureEvidence,
  now: number,
): readonly Finding[] {
  if (freshness === undefined || signature.outcome !== "signed") return [];
  const signedAt = signingTime(signature.signer);
  const { maxSignatureAge, written } = freshness;
  if (signedAt === undefined) {
    const message = `no log or timestamp authority says when it was signed, and the policy demands a signature of at most ${written}`;
    return [{ code: "SIGNING_TIME_UNKNOWN", message, tolerated: false }];
  }
  const when = timeText(signedAt);
  if (isYetToCome(signedAt, now)) {
    const message = `signed at ${when}, which is yet to come here: the clock of its log or timestamp authority is wrong, or this one`;
    return [{ code: "SIGNING_TIME_UNKNOWN", message, tolerated: false }];
  }
  const age = now - signedAt;
  if (age <= maxSignatureAge) return [];
  const message = `signed at ${when}, ${spanText(age)} ago; the policy takes signatures of at most ${written}`;
  return [{ code: "EXPIRED", message, tolerated: false }];
}

/**
 * Freshness grade by the policy's maximum age. Outside its trust period a publisher grades as with an expired
 * certificate.
 * @param now milliseconds since 1970
 */
export const freshnessOf = (policy: Policy, signature: SignatureEvidence, now: number): Grade =>
  isByPublisher(policy, signature) && outsideTrustPeriod(policy, signature, now) !== undefined
    ? "ABSENT"
    : gradeFreshness(signature, now, policy.freshness?.maxSignatureAge);

/** True if a signature meets the policy's maximum age and freshness grade; without requirements always. */
export function isFreshEnough(policy: Policy, signature: SignatureEvidence, now: number): boolean {
  const grade = freshnessOf(policy, signature, now);
  const minimum = policy.freshness === undefined ? policy.minimum.freshness : "MEDIUM";
  return minimum === undefined || meets(grade, minimum);
}
