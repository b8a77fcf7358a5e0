import { blocks, type Verdict } from "../../policy/finding.ts";
import type { SkillReference } from "../../skill/reference.ts";
import { auditAnnotations as annotationsOf, errorCause, ownersAnnotation } from "./audit-annotations.ts";
import type { Decision, Lenient } from "../decision.ts";
import { denialText } from "./denial.ts";
import { failedReview, failedReviewText } from "./failed-review.ts";
import { defined } from "../../text/fields.ts";
import { printable } from "../../text/printable.ts";
import { warningsOf, warningText } from "./warnings.ts";

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

/** Lets in what is not reviewed. */
export const unreviewed = (uid: string): AdmissionReviewResponse => review({ uid, allowed: true });

/** Lets in a body that could not be reviewed, where no policy at all enforces. */
export const letIn = (uid: string, mode: Lenient, message: string): AdmissionReviewResponse =>
  review({
    uid,
    allowed: true,
    ...(mode === "Warn" ? { warnings: [warningText(message, undefined)] } : {}),
    auditAnnotations: { unchecked: `mode ${mode}` },
  });

/** Denies what could not be reviewed, unless a mode lets it in. */
function failed(decision: Extract<Decision, { readonly outcome: "error" }>): AdmissionReviewResponse {
  const { subject, id, code, message, letInBy } = decision;
  const auditAnnotations = {
    decision: `error ${code} ${printable(id, 16)}`,
    ...(letInBy === undefined ? {} : { unchecked: `mode ${letInBy}` }),
    ...ownersAnnotation(subject),
    causes: errorCause(code, message),
  };
  const base = { uid: subject.uid, auditAnnotations };
  if (letInBy === undefined) {
    return review({
      ...base,
      allowed: false,
      status: { code: 500, reason: "InternalError", message: failedReviewText(decision, 800) },
    });
  }
  const { what, why, remedy } = failedReview(decision, 800);
  const warnings = letInBy === "Warn" ? [warningText(`${what}: ${why}`, remedy)] : undefined;
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
  const auditAnnotations = annotationsOf(decision);
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

/** The field of the object, where a demand is on one; else the place in the containers. */
const fieldOf = ({ content, path }: SkillReference): string =>
  (content.state === "fault" ? content.field : undefined) ?? path;

const causesOf = (verdicts: readonly Verdict[]): readonly StatusCause[] =>
  verdicts
    .flatMap(({ skills }) => skills)
    .flatMap(({ reference, findings }) =>
      findings.filter(blocks).map((finding) => ({ path: fieldOf(reference), finding })),
    )
    .slice(0, maxCauses)
    .map(({ path, finding }) => ({
      reason: finding.code,
      message: printable(finding.message, 300),
      field: printable(finding.path === undefined ? path : `${path}/${finding.path}`, 300),
    }));
