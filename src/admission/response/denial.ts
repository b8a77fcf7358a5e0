import { judgeText } from "../../policy/always.ts";
import type { Verdict } from "../../policy/finding.ts";
import { failures, fitting } from "../../policy/verdict-text.ts";
import { printable } from "../../text/printable.ts";
import { shortWords } from "../../text/short-words.ts";
import type { ReviewSubject } from "../decision.ts";

/** Limit of a denial, bytes of UTF-8: events and terminals cut longer ones, and with the end the remedy is lost. */
const maxBytes = 2048;
/** Characters of a name in the first line. */
const maxName = 200;

/**
 * Names the subject: `Pod payments/etl`, `ConfigMap payments/skills-etl`, `Pod payments/web-5d4f9c-*` where the rest of
 * the name is made anew for each attempt: Events count up only if their text is the same.
 */
export function subjectText({ kind, namespace, name, generatedFrom }: ReviewSubject): string {
  const shown = generatedFrom === undefined ? name : `${generatedFrom}*`;
  return shortWords(`${kind} ${namespace === "" ? shown : `${namespace}/${shown}`}`, maxName);
}

function policyLines(verdict: Verdict, subject: ReviewSubject): readonly string[] {
  const { summary, lines } = failures(verdict);
  const deleting = subject.operation === "DELETE" ? "deleting " : "";
  return [
    `${judgeText(verdict.policy, maxName)} denied ${deleting}${subjectText(subject)}: ${summary}`,
    ...lines,
  ];
}

/**
 * The message of a denial. The first line says what happened; each failed skill lists its findings and the remedy; the
 * last line is the decision's identifier in logs. Takes at most `limit` bytes and counts the lines left out.
 */
export function denialText(
  denying: readonly Verdict[],
  subject: ReviewSubject,
  id: string,
  limit = maxBytes,
): string {
  const lines = denying.flatMap((verdict) => policyLines(verdict, subject));
  const last = `decision ${printable(id, 16)}`;
  return fitting(lines, last, limit);
}
