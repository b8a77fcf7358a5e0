import { defined } from "../text/fields.ts";
import type { Evidence } from "../evidence/evidence.ts";
import type { Grades } from "../evidence/grade.ts";
import type { SkillReference } from "../skill/reference.ts";
import type { Finding, SkillResult } from "./finding.ts";
import type { Policy } from "./policy.ts";
import { alwaysFindings } from "./rules/always.ts";
import { changeFindings } from "./rules/changes.ts";
import { acceptanceEnd } from "./rules/ends.ts";
import { expiryFindings } from "./rules/expiry.ts";
import { freshnessFindings } from "./rules/freshness.ts";
import { gradeFindings, gradesOf } from "./rules/grades.ts";
import { nameFindings } from "./rules/names.ts";
import { rankSignaturesFor, otherSignatureFindings } from "./rules/other-signatures.ts";
import { signatureFindings } from "./rules/signature.ts";
import { immutabilityFindings, isPlaceOnly, sourceFindings } from "./rules/sources.ts";

/** Findings about the content. Content without evidence is an error, never a pass: it was not verified. */
function contentFindings(
  policy: Policy,
  reference: SkillReference,
  evidence: Evidence | undefined,
  now: number,
): readonly Finding[] {
  if (reference.content.state !== "resolved") return sourceFindings(policy, reference);
  if (evidence === undefined) {
    return [{ code: "INTERNAL", message: "no evidence was established", tolerated: false }];
  }
  return [
    ...policy.revoked(reference.content.skill, evidence),
    ...signatureFindings(policy, evidence, now),
    ...otherSignatureFindings(policy, evidence, now),
    ...freshnessFindings(policy, evidence.signature, now),
    ...expiryFindings(evidence.signature, now),
    ...gradeFindings(policy, evidence, now),
    ...policy.card(evidence),
  ];
}

/** A revoked skill is not current, whatever time its signature proves. */
const superseded = (grades: Grades, findings: readonly Finding[]): Grades =>
  findings.some(({ code }) => code === "REVOKED") ? { ...grades, freshness: "ABSENT" } : grades;

function findingsOf(
  policy: Policy,
  reference: SkillReference,
  evidence: Evidence | undefined,
  now: number,
): readonly Finding[] {
  const { always, invalidReason } = policy;
  if (invalidReason !== undefined) {
    const what = always === undefined ? "the policy cannot be used" : "the list cannot be read";
    return [{ code: "INTERNAL", message: `${what}: ${invalidReason}`, tolerated: false }];
  }
  if (always !== undefined) return alwaysFindings(policy, reference, evidence);
  return [
    ...contentFindings(policy, reference, evidence, now),
    ...(isPlaceOnly(reference)
      ? []
      : [...nameFindings(policy, reference, evidence), ...immutabilityFindings(policy, reference)]),
    ...changeFindings(reference),
  ];
}

/**
 * Judges one skill by one policy: a finding for each requirement that is not met.
 * @param evidence undefined if the content could not be read
 * @param now milliseconds since 1970
 */
export function judge(
  policy: Policy,
  reference: SkillReference,
  evidence: Evidence | undefined,
  now: number,
): SkillResult {
  const known =
    reference.content.state === "resolved" && evidence !== undefined
      ? rankSignaturesFor(policy, evidence, now)
      : undefined;
  const findings = findingsOf(policy, reference, known, now);
  const ends = known !== undefined && findings.length === 0 ? acceptanceEnd(policy, known, now) : undefined;
  return {
    reference,
    ...defined({ evidence: known }),
    grades: superseded(gradesOf(policy, known, now), findings),
    findings,
    ...defined({ ends }),
  };
}
