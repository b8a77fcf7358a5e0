import { join } from "node:path";

import { gradeAuthorship } from "../../evidence/authorship.ts";
import type { Evidence } from "../../evidence/evidence.ts";
import { gradeFreshness } from "../../evidence/freshness.ts";
import { unverified, type Grades } from "../../evidence/grade.ts";
import { gradeIntegrity } from "../../evidence/integrity.ts";
import type { Verdict } from "../../policy/finding.ts";
import { remedyFor } from "../../policy/remedy.ts";
import { shortDigest } from "../../skill/digest.ts";
import type { SkillReference } from "../../skill/reference.ts";
import type { Outcome, ReportedFinding, ReportItem } from "./report-item.ts";
import {
  findingDocument,
  lowestGrades,
  scanDocument,
  signaturesDocument,
  signerName,
} from "./skill-document.ts";

/** One verified skill: evidence and verdicts. */
export interface Verified {
  readonly directory: string;
  readonly reference: SkillReference;
  readonly evidence: Evidence | undefined;
  readonly verdicts: readonly Verdict[];
  /** Time of the verification, milliseconds since 1970. */
  readonly now: number;
}

function outcomeOf({ verdicts }: Verified): Outcome {
  if (verdicts.length === 0) return "unevaluated";
  if (verdicts.some(({ outcome }) => outcome === "deny")) return "deny";
  return verdicts.some(({ outcome }) => outcome === "warn") ? "warn" : "allow";
}

function gradesOf({ evidence, verdicts, now }: Verified): Grades {
  const judged = lowestGrades(verdicts.flatMap(({ skills }) => skills.map(({ grades }) => grades)));
  if (judged !== undefined) return judged;
  if (evidence === undefined) return unverified;
  return {
    integrity: gradeIntegrity(evidence.signature),
    authorship: gradeAuthorship(evidence.signature, false),
    freshness: gradeFreshness(evidence.signature, now),
  };
}

function findingsOf({ directory, verdicts }: Verified): readonly ReportedFinding[] {
  return verdicts.flatMap(({ policy, skills }) =>
    skills.flatMap(({ findings }) =>
      findings.map((finding) => ({
        ...finding,
        ...(verdicts.length > 1 ? { policy } : {}),
        location: finding.path === undefined ? directory : join(directory, finding.path),
      })),
    ),
  );
}

/** Most uncovered files in a table; `unlisted` in JSON names all. */
const maxUnlisted = 5;

/** Uncovered files are the reason why integrity is at most MEDIUM: a policy that tolerates them reports no finding. */
function unlistedFacts(evidence: Evidence | undefined): readonly string[] {
  if (evidence?.signature.outcome !== "signed") return [];
  const { unlisted } = evidence.signature;
  const more = unlisted.length > maxUnlisted ? ` and ${unlisted.length - maxUnlisted} more` : "";
  return unlisted.length === 0
    ? []
    : [`not covered by the signature: ${unlisted.slice(0, maxUnlisted).join(", ")}${more}`];
}

/** Facts that no finding reports, mostly because there is no policy. */
function factsOf({ reference, evidence, verdicts }: Verified): readonly string[] {
  if (verdicts.length > 0) return unlistedFacts(evidence);
  if (evidence === undefined) return reference.content.state === "resolved" ? [] : [reference.content.detail];
  const { signature } = evidence;
  if (signature.outcome === "unsigned") return ["not signed"];
  if (signature.outcome === "signed") return unlistedFacts(evidence);
  const { differences = [] } = signature;
  const changes = differences.map(({ path, change, signed, found }) =>
    signed !== undefined && found !== undefined
      ? `${change} ${path}: signed ${shortDigest(signed)}, found ${shortDigest(found)}`
      : `${change} ${path}`,
  );
  return [...(signature.outcome === "untrusted" ? [signature.detail] : []), ...changes];
}

/** Evidence of a single policy, if there is one: of several signatures it puts the one that counts first. */
function seen({ evidence, verdicts }: Verified): Evidence | undefined {
  const [verdict, ...others] = verdicts;
  const [result] = verdict?.skills ?? [];
  return others.length === 0 ? (result?.evidence ?? evidence) : evidence;
}

/** Report of a verified skill. */
export function skillItem(verified: Verified): ReportItem {
  const { reference } = verified;
  const evidence = seen(verified);
  const signature = evidence?.signature;
  const signer = signature === undefined || signature.outcome === "unsigned" ? undefined : signature.signer;
  const outcome = outcomeOf(verified);
  const grades = gradesOf(verified);
  const findings = findingsOf(verified);
  return {
    title: reference.name,
    file: verified.directory,
    outcome,
    columns: [grades.integrity, grades.authorship, signerName(signer)],
    facts: factsOf({ ...verified, evidence }),
    findings,
    ...(findings.length === 0 ? {} : { remedy: remedyFor(findings) }),
    document: {
      skill: reference.name,
      directory: verified.directory,
      digest: signature?.digest,
      ...signaturesDocument(reference, evidence),
      ...scanDocument(evidence),
      grades,
      findings: findings.map((finding) => ({ ...findingDocument(finding), policy: finding.policy })),
      outcome,
    },
  };
}
