import { gradeAuthorship } from "../../evidence/authorship.ts";
import type { Evidence } from "../../evidence/evidence.ts";
import { layers, meets, unverified, type Grade, type Grades, type Layer } from "../../evidence/grade.ts";
import { gradeIntegrity } from "../../evidence/integrity.ts";
import type { SignatureEvidence } from "../../signature/signature-evidence.ts";
import type { Finding } from "../finding.ts";
import type { Policy } from "../policy.ts";
import { freshnessOf } from "./freshness.ts";
import { outsideTrustPeriod } from "./periods.ts";
import { isByPublisher } from "./publishers.ts";

/**
 * Grades of a skill under this policy.
 * @param now milliseconds since 1970
 */
export const gradesOf = (policy: Policy, evidence: Evidence | undefined, now: number): Grades =>
  evidence === undefined
    ? unverified
    : {
        integrity: gradeIntegrity(evidence.signature),
        authorship: authorshipOf(policy, evidence.signature, now),
        freshness: freshnessOf(policy, evidence.signature, now),
      };

/** Outside its trust period a publisher grades as with an expired certificate. */
function authorshipOf(policy: Policy, signature: SignatureEvidence, now: number): Grade {
  const isPublisher = isByPublisher(policy, signature);
  return isPublisher && outsideTrustPeriod(policy, signature, now) !== undefined
    ? "ABSENT"
    : gradeAuthorship(signature, isPublisher);
}

/** Reason for a low grade that no other finding gives. */
const because = (layer: Layer, grade: Grade): string =>
  layer === "freshness" && grade === "WEAK" ? ": no log or timestamp authority says when it was signed" : "";

/**
 * Reports layers of a signed skill whose grade is below the policy's minimum. Skills that are unsigned, untrusted
 * or tampered have findings of their own, and those decide on tolerance.
 */
export function gradeFindings(policy: Policy, evidence: Evidence, now: number): readonly Finding[] {
  if (evidence.signature.outcome !== "signed") return [];
  const grades = gradesOf(policy, evidence, now);
  return layers.flatMap((layer) => {
    const minimum = policy.minimum[layer];
    const grade = grades[layer];
    if (minimum === undefined || meets(grade, minimum)) return [];
    const message = `${layer} is ${grade}, and evidence.${layer} of the policy demands ${minimum}${because(layer, grade)}`;
    return [{ code: "GRADE_BELOW_MINIMUM" as const, message, layer, tolerated: false }];
  });
}
