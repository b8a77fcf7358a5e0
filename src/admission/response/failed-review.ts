import { reasonTexts } from "../../policy/remedy.ts";
import { printable } from "../../text/printable.ts";
import type { Decision } from "../decision.ts";
import { subjectText } from "./denial.ts";

type FailedReview = Extract<Decision, { readonly outcome: "error" }>;

/** What to do about a failed review; undefined where its own message says so after a semicolon. */
const remedyOf = ({ code, message }: FailedReview): string | undefined =>
  message.includes("; ") ? undefined : reasonTexts[code].remedy;

/** A failed review in words. */
export function failedReview(
  decision: FailedReview,
  limit: number,
): { readonly what: string; readonly why: string; readonly remedy: string | undefined } {
  const { subject, code, message } = decision;
  return {
    what: `skill-admission could not review ${subjectText(subject)}`,
    why: `${code} ${printable(message, limit)}`,
    remedy: remedyOf(decision),
  };
}

/** The message to whoever is refused: what happened, what to do, the decision's identifier in logs. */
export function failedReviewText(decision: FailedReview, limit: number): string {
  const { what, why, remedy } = failedReview(decision, limit);
  return [
    `${what}, so it is denied: ${why}`,
    ...(remedy === undefined ? [] : [`fix: ${remedy}`]),
    `decision ${printable(decision.id, 16)}`,
  ].join("\n");
}
