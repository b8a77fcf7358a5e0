import { SourceError } from "../skill/source-error.ts";
import { defined } from "../text/fields.ts";
import { parseReview, ReviewError, type AdmissionRequest } from "./admission-request.ts";
import { decisionId, refusalId } from "./decide.ts";
import type { Decision, Lenient, ReviewSubject } from "./decision.ts";
import { lenientOf } from "./governing.ts";
import type { ReviewDeps } from "../evaluation/evaluate.ts";
import type { LoopTurns } from "../evaluation/loop-turns.ts";
import type { ReadBudget } from "../evaluation/read-budget.ts";
import { letIn, refusal, toResponse, unreviewed } from "./response/response.ts";
import { review } from "./review.ts";
import { isSelfCheck } from "./self-check.ts";

/** HTTP answer to one AdmissionReview, with the decision behind it. */
export interface ReviewAnswer {
  /**
   * HTTP status: 200 for an AdmissionReview, also a denying one; 400 for a body without a uid; 500 for an unexpected
   * error while reading it.
   */
  readonly status: number;
  readonly body: string;
  /** Both absent if the body was no AdmissionReview, or the controller's own question. */
  readonly decision?: Decision;
  readonly request?: AdmissionRequest;
  /** The controller's own question whether it is asked: no review, and nothing to tell of. */
  readonly isSelfCheck?: true;
}

/** The part of an `AbortSignal` by which a review hears of its deadline: a whole one costs more than most rules. */
export interface Deadline {
  readonly aborted: boolean;
  /** The listener runs once. */
  addEventListener(type: "abort", listener: () => void, options?: { readonly once: true }): void;
  removeEventListener(type: "abort", listener: () => void): void;
}

export interface HandleDeps extends ReviewDeps {
  /**
   * Limits the work of a review. It outlives the review's deadline: objects read and evidence established after it are
   * cached for the caller's next attempt.
   */
  readonly workSignal: () => AbortSignal;
  /** Bounds what all reviews together read. */
  readonly reads: ReadBudget;
  /** Turns in which large bodies are parsed. */
  readonly turns: LoopTurns;
}

/** Bytes of a body that is parsed in a turn of its own: some hundred microseconds, and more with many values. */
const largeBody = 64 * 1024;

/**
 * Answers an AdmissionReview, bytes to bytes. Never throws: every unexpected error becomes a denial here,
 * unless no policy that governs the object enforces.
 *
 * @param deadline aborts shortly before the API server stops waiting; the answer is then a denial with TIMEOUT
 * @param now milliseconds since 1970
 */
export async function handle(
  body: Uint8Array,
  deps: HandleDeps,
  deadline: Deadline,
  now: number,
): Promise<ReviewAnswer> {
  let request: AdmissionRequest;
  if (body.byteLength > largeBody) await deps.turns.next();
  try {
    request = parseReview(body);
  } catch (error) {
    if (error instanceof ReviewError) {
      const text = `bad review: ${error.message}`;
      const mode = lenientOf(deps.policies.current().policies);
      // With a uid, the API server reads the answer and shows its text; without one, only the status reaches the user.
      if (error.uid === "") return answer(400, refusal("", 400, text));
      return answer(200, mode === undefined ? refusal(error.uid, 400, text) : letIn(error.uid, mode, text));
    }
    return answer(500, refusal("", 500, "INTERNAL the review could not be read"));
  }
  if (isSelfCheck(request)) return { ...answer(200, unreviewed(request.subject.uid)), isSelfCheck: true };
  const decision = await decideInTime(request, deps, deadline, now);
  return { status: 200, body: JSON.stringify(toResponse(decision)), decision, request };
}

const answer = (status: number, response: unknown): ReviewAnswer => ({
  status,
  body: JSON.stringify(response),
});

function decideInTime(
  request: AdmissionRequest,
  deps: HandleDeps,
  deadline: Deadline,
  now: number,
): Promise<Decision> {
  let lenient: Lenient | undefined;
  const letInBy = (mode: Lenient | undefined): void => void (lenient = mode);
  const source = deps.reads.open(deps.source, request.subject.namespace);
  const decided = async (): Promise<Decision> => {
    try {
      return await review(request, { deps: { ...deps, source }, now, signal: deps.workSignal(), letInBy });
    } catch (error) {
      return failure(request, error, lenient);
    } finally {
      source.release();
    }
  };
  return new Promise((resolve, reject) => {
    const late = (): void => resolve(timeout(request, lenient));
    if (deadline.aborted) late();
    else deadline.addEventListener("abort", late, { once: true });
    const end = (decision: Decision): void => {
      deadline.removeEventListener("abort", late);
      resolve(decision);
    };
    decided().then(end, reject);
  });
}

const timeout = ({ subject }: AdmissionRequest, letInBy: Lenient | undefined): Decision => ({
  ...failed(subject, letInBy, "TIMEOUT"),
  message: "the skills could not be read and verified in time; what was begun goes on, so try again",
});

type Failure = Extract<Decision, { readonly outcome: "error" }>;

const failed = (
  subject: ReviewSubject,
  letInBy: Lenient | undefined,
  code: Failure["code"],
): Omit<Failure, "message"> => ({
  outcome: "error",
  id: letInBy === undefined ? refusalId(subject, [code]) : decisionId(subject.uid),
  subject,
  ...defined({ letInBy }),
  code,
});

function failure({ subject }: AdmissionRequest, cause: unknown, letInBy: Lenient | undefined): Decision {
  if (cause instanceof SourceError)
    return { ...failed(subject, letInBy, cause.code), message: cause.message, cause };
  const message = "an unexpected fault in the controller; its log has the details";
  return { ...failed(subject, letInBy, "INTERNAL"), message, cause };
}
