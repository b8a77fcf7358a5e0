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
 * How well each question about a skill is answered, in this policy's eyes.
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

/** A publisher outside its period is as one whose certificate is out of date. */
function authorshipOf(policy: Policy, signature: SignatureEvidence, now: number): Grade {
  const isPublisher = isByPublisher(policy, signature);
  return isPublisher && outsideTrustPeriod(policy, signature, now) !== undefined
    ? "ABSENT"
    : gradeAuthorship(signature, isPublisher);
}

/** Why a grade is what it is, where no finding of its own says so. */
const because = (layer: Layer, grade: Grade): string =>
  layer === "freshness" && grade === "WEAK" ? ": no log or timestamp authority says when it was signed" : "";

/**
 * Layers of a signed skill whose grade is below the policy's minimum. Where the signature is missing, wrong, untrusted
 * or for other bytes, a finding of its own says so, with the file, and a grade would only repeat it; whether that is
 * tolerated is decided there.
 */
export function gradeFindings(policy: Policy, evidence: Evidence, now: number): readonly Finding[] {
  if (evidence.signature.outcome !== "signed") return [];
  const grades = gradesOf(policy, evidence, now);
  return layers.flatMap((layer) => {
    const minimum = policy.minimum[layer];
    const grade = grades[layer];
    if (minimum === undefined || meets(grade, minimum)) return [];
    const message = `${layer} is ${grade}, the policy demands ${minimum}${because(layer, grade)}`;
    return [{ code: "GRADE_BELOW_MINIMUM" as const, message, layer, tolerated: false }];
  });
}
