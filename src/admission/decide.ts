import type { Evaluation } from "../evaluation/evaluate.ts";
import type { Finding, Verdict } from "../policy/finding.ts";
import type { AdmissionRequest } from "./admission-request.ts";
import type { Bypass, Decision } from "./decision.ts";

/** Short identifier of a decision in messages, logs and the audit log: the start of the review's uid. */
export const decisionId = (uid: string): string => uid.slice(0, 8);

/** Allows without a verdict, with the reason. */
export const bypass = ({ subject }: AdmissionRequest, reason: Bypass): Decision => ({
  outcome: "allow",
  id: decisionId(subject.uid),
  subject,
  bypass: reason,
});

/** Faults of a file that claims to be a signature: nothing proves that it is one. */
const unproved: ReadonlySet<Finding["code"]> = new Set(["MANIFEST_MALFORMED", "UNSUPPORTED_FORMAT"]);

/** A JSON string, as messages quote content. */
const quotation = /"(?:[^"\\]|\\.)*"/g;

/**
 * Blanks quotations from files that are no proved signatures. A forged review can name any key of any ConfigMap as
 * one: its answer, log line and Event say what is wrong and where, and show nothing of the bytes.
 */
export const withoutContent = (verdict: Verdict): Verdict =>
  verdict.skills.some(({ findings }) => findings.some(({ code }) => unproved.has(code)))
    ? {
        ...verdict,
        skills: verdict.skills.map((skill) => ({
          ...skill,
          findings: skill.findings.map((finding) =>
            unproved.has(finding.code)
              ? { ...finding, message: finding.message.replace(quotation, '"…"') }
              : finding,
          ),
        })),
      }
    : verdict;

/** Combines the verdicts of all policies: one denial denies. */
export function decide({ subject }: AdmissionRequest, { verdicts }: Evaluation): Decision {
  const has = (outcome: Verdict["outcome"]): boolean =>
    verdicts.some((verdict) => verdict.outcome === outcome);
  const outcome = has("deny") ? "deny" : has("warn") ? "warn" : "allow";
  return { outcome, id: decisionId(subject.uid), subject, verdicts: verdicts.map(withoutContent) };
}
