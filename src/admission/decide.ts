import type { Evaluation } from "../evaluation/evaluate.ts";
import type { Verdict } from "../policy/finding.ts";
import type { AdmissionRequest } from "./admission-request.ts";
import type { Bypass, Decision } from "./decision.ts";

/** A decision's short name in messages, logs and the API server's audit log: the start of the review's uid. */
export const decisionId = (uid: string): string => uid.slice(0, 8);

/** An allow without a verdict, by the rule that it names. */
export const bypass = ({ subject }: AdmissionRequest, reason: Bypass): Decision => ({
  outcome: "allow",
  id: decisionId(subject.uid),
  subject,
  bypass: reason,
});

/** All policies' verdicts in one: a denial by one of them denies. */
export function decide({ subject }: AdmissionRequest, { verdicts }: Evaluation): Decision {
  const has = (outcome: Verdict["outcome"]): boolean =>
    verdicts.some((verdict) => verdict.outcome === outcome);
  const outcome = has("deny") ? "deny" : has("warn") ? "warn" : "allow";
  return { outcome, id: decisionId(subject.uid), subject, verdicts };
}
