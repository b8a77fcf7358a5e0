import { blocks, type Verdict } from "../../policy/finding.ts";
import { failures, fitting } from "../../policy/verdict-text.ts";
import { printable } from "../../text/printable.ts";
import { isBinding, type ReviewSubject } from "../decision.ts";

/** Limit of a denial, bytes of UTF-8: events and terminals cut longer ones, and with the end the remedy is lost. */
const maxBytes = 2048;

/** Names the subject: `Pod payments/etl`, `ConfigMap payments/skills-etl`. */
export const subjectText = ({ kind, namespace, name }: ReviewSubject): string =>
  printable(`${kind} ${namespace === "" ? name : `${namespace}/${name}`}`);

function policyLines(verdict: Verdict, subject: ReviewSubject): readonly string[] {
  const { count, lines } = failures(verdict);
  const deleting = subject.operation === "DELETE" ? "deleting " : "";
  // Who waits for a pod sees the first line of the scheduler's Event alone, in kubectl get events.
  const codes = isBinding(subject)
    ? `: ${[...new Set(verdict.skills.flatMap(({ findings }) => findings.filter(blocks).map(({ code }) => code)))].join(", ")}`
    : "";
  return [
    `policy ${printable(JSON.stringify(verdict.policy))} denied ${deleting}${subjectText(subject)}: ${count}${codes}`,
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
