import type { Evaluation } from "../evaluation/evaluate.ts";
import type { Verdict } from "../policy/finding.ts";
import { withoutContent } from "../policy/without-content.ts";
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

/** Combines the verdicts of all policies: one denial denies. */
export function decide({ subject }: AdmissionRequest, { verdicts }: Evaluation): Decision {
  const has = (outcome: Verdict["outcome"]): boolean =>
    verdicts.some((verdict) => verdict.outcome === outcome);
  const outcome = has("deny") ? "deny" : has("warn") ? "warn" : "allow";
  return { outcome, id: decisionId(subject.uid), subject, verdicts: verdicts.map(withoutContent) };
}
