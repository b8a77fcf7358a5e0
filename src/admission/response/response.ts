import { blocks, type Finding, type Verdict } from "../../policy/finding.ts";
import { auditAnnotations as annotationsOf, errorCause } from "./audit-annotations.ts";
import type { Decision, Lenient, ReviewSubject } from "../decision.ts";
import { findingText } from "../../policy/verdict-text.ts";
import { denialText, subjectText } from "./denial.ts";
import { defined } from "../../text/fields.ts";
import { printable } from "../../text/printable.ts";

/** AdmissionReview with its response (admission.k8s.io/v1), to be serialised as JSON. */
export interface AdmissionReviewResponse {
  readonly apiVersion: "admission.k8s.io/v1";
  readonly kind: "AdmissionReview";
  readonly response: AdmissionResponse;
}

interface StatusCause {
  readonly reason: string;
  readonly message: string;
  readonly field?: string;
}

export interface AdmissionResponse {
  readonly uid: string;
  readonly allowed: boolean;
  readonly status?: {
    readonly code: number;
    readonly reason: string;
    readonly message: string;
    readonly details?: { readonly causes: readonly StatusCause[] };
  };
  readonly warnings?: readonly string[];
  readonly auditAnnotations?: Readonly<Record<string, string>>;
}

/** The API server truncates warnings to 256 bytes each and 4 KiB together; shorter ones fit on one terminal line. */
const maxWarnings = 10;
const maxWarningLength = 120;
const maxCauses = 50;

const review = (response: AdmissionResponse): AdmissionReviewResponse => ({
  apiVersion: "admission.k8s.io/v1",
  kind: "AdmissionReview",
  response,
});

/** Denies a body that could not be reviewed, with the reason. */
export const refusal = (uid: string, code: number, message: string): AdmissionReviewResponse =>
  review({
    uid,
    allowed: false,
    status: { code, reason: code >= 500 ? "InternalError" : "BadRequest", message: printable(message, 1000) },
  });

/** Lets in a body that could not be reviewed, where no policy at all enforces. */
export const letIn = (uid: string, mode: Lenient, message: string): AdmissionReviewResponse =>
  review({
    uid,
    allowed: true,
    ...(mode === "Warn" ? { warnings: [printable(message, maxWarningLength)] } : {}),
    auditAnnotations: { unchecked: `mode ${mode}` },
  });

/** Denies what could not be reviewed, unless a mode lets it in. */
function failed(decision: Extract<Decision, { readonly outcome: "error" }>): AdmissionReviewResponse {
  const { subject, id, code, message, letInBy } = decision;
  const what = `skill-admission could not review ${subjectText(subject)}`;
  const auditAnnotations = {
    decision: `error ${code} ${printable(id, 16)}`,
    ...(letInBy === undefined ? {} : { unchecked: `mode ${letInBy}` }),
    causes: errorCause(code, message),
  };
  const base = { uid: subject.uid, auditAnnotations };
  if (letInBy === undefined) {
    const text = `${what}, so it is denied: ${code} ${printable(message, 800)}\ndecision ${printable(id, 16)}`;
    return review({
      ...base,
      allowed: false,
      status: { code: 500, reason: "InternalError", message: text },
    });
  }
  const warnings =
    letInBy === "Warn" ? [printable(`${what}: ${code} ${message}`, maxWarningLength)] : undefined;
  return review({ ...base, allowed: true, ...defined({ warnings }) });
}

/** Turns a decision into an AdmissionReview: 403 for a denial by policy, 500 for a failed review. */
export function toResponse(decision: Decision): AdmissionReviewResponse {
  const { uid } = decision.subject;
  if (decision.outcome === "error") return failed(decision);
  if ("bypass" in decision) {
    // `unchecked` lets an auditor distinguish a request that was allowed without review from a reviewed one.
    const auditAnnotations = {
      decision: `allow ${printable(decision.id, 16)}`,
      unchecked: decision.bypass,
    };
    return review({ uid, allowed: true, auditAnnotations });
  }
  const { verdicts } = decision;
  const auditAnnotations = annotationsOf(decision.outcome, decision.id, verdicts);
  if (decision.outcome !== "deny") {
    const warnings = warningsOf(verdicts, decision.subject);
    return review({ uid, allowed: true, ...(warnings.length > 0 ? { warnings } : {}), auditAnnotations });
  }
  const denying = verdicts.filter(({ outcome }) => outcome === "deny");
  const warnings = warningsOf(verdicts, decision.subject);
  return review({
    uid,
    allowed: false,
    status: {
      code: 403,
      reason: "Forbidden",
      message: denialText(denying, decision.subject, decision.id),
      details: { causes: causesOf(denying) },
    },
    ...(warnings.length > 0 ? { warnings } : {}),
    auditAnnotations,
  });
}

interface FindingContext {
  readonly verdict: Verdict;
  readonly skill: string;
  readonly path: string;
  readonly finding: Finding;
}

const findingsOf = (verdicts: readonly Verdict[]): readonly FindingContext[] =>
  verdicts.flatMap((verdict) =>
    verdict.skills.flatMap(({ reference, findings }) =>
      findings.map((finding) => ({ verdict, skill: reference.name, path: reference.path, finding })),
    ),
  );

/** Whether a policy admits an object now and will deny its pods: the warning that must not be missed. */
const deniesLater = ({ mode, outcome, skills }: Verdict): boolean =>
  mode === "Enforce" && outcome === "warn" && skills.some(({ findings }) => findings.some(blocks));

/**
 * Warnings of policies in mode Warn, of tolerated findings, and of policies that will deny the object's pods. One line
 * each, the last kind first; the last line counts the rest.
 */
function warningsOf(verdicts: readonly Verdict[], subject: ReviewSubject): readonly string[] {
  const told = findingsOf(verdicts.filter(({ outcome }) => outcome === "warn"));
  const announced = verdicts
    .filter(deniesLater)
    .map(({ policy }) => `policy ${JSON.stringify(policy)} will deny the pods of ${subjectText(subject)}`);
  const findings = told.map(
    ({ verdict, skill, finding }) => `${verdict.policy}: skill ${skill}: ${findingText(finding)}`,
  );
  const lines = [...announced, ...findings].map((line) => printable(line, maxWarningLength));
  if (lines.length <= maxWarnings) return lines;
  return [
    ...lines.slice(0, maxWarnings - 1),
    `and ${lines.length - maxWarnings + 1} more findings; see the log`,
  ];
}

const causesOf = (verdicts: readonly Verdict[]): readonly StatusCause[] =>
  findingsOf(verdicts)
    .filter(({ finding }) => blocks(finding))
    .slice(0, maxCauses)
    .map(({ path, finding }) => ({
      reason: finding.code,
      message: printable(finding.message, 300),
      field: printable(finding.path === undefined ? path : `${path}/${finding.path}`, 300),
    }));
