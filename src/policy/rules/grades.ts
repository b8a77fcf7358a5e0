import { gradeAuthorship } from "../../evidence/authorship.ts";
import type { Evidence } from "../../evidence/evidence.ts";
import { meets, type Grade, type Layer } from "../../evidence/grade.ts";
import { gradeIntegrity } from "../../evidence/integrity.ts";
import type { Finding } from "../finding.ts";
import type { Policy } from "../policy.ts";
import { isByPublisher } from "./publishers.ts";

export type Grades = Readonly<Record<Layer, Grade>>;

/** How well each question about a skill is answered, in this policy's eyes. */
export const gradesOf = (policy: Policy, evidence: Evidence | undefined): Grades =>
  evidence === undefined
    ? { integrity: "UNVERIFIED", authorship: "UNVERIFIED" }
    : {
        integrity: gradeIntegrity(evidence.signature),
        authorship: gradeAuthorship(evidence.signature, isByPublisher(policy, evidence.signature)),
      };

const layers: readonly Layer[] = ["integrity", "authorship"];

/**
 * Layers of a signed skill whose grade is below the policy's minimum. Where the signature is missing, wrong, untrusted
 * or for other bytes, a finding of its own says so, with the file, and a grade would only repeat it; whether that is
 * tolerated is decided there.
 */
export function gradeFindings(policy: Policy, evidence: Evidence): readonly Finding[] {
  if (evidence.signature.outcome !== "signed") return [];
  const grades = gradesOf(policy, evidence);
  return layers.flatMap((layer) => {
    const minimum = policy.minimum[layer];
    const grade = grades[layer];
    if (minimum === undefined || meets(grade, minimum)) return [];
    const message = `${layer} is ${grade}, the policy demands ${minimum}`;
    return [{ code: "GRADE_BELOW_MINIMUM" as const, message, tolerated: false }];
  });
}
