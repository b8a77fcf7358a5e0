import { RequestError } from "./body.ts";
import type { TimeLimits } from "./deadline.ts";

/** Time limits of one review: `signal` aborts at the deadline, `ended` rejects when the server answers in its place. */
export function startTimer(limits: TimeLimits): {
  readonly signal: AbortSignal;
  readonly ended: Promise<never>;
  /** Ends the review before its time. */
  readonly end: (error: RequestError) => void;
  readonly clear: () => void;
} {
  const controller = new AbortController();
  const { promise: ended, reject } = Promise.withResolvers<never>();
  // A rejection after the answer is no fault.
  ended.catch(() => undefined);
  let timer = setTimeout(() => {
    controller.abort(new DOMException("the review's deadline has passed", "TimeoutError"));
    timer = setTimeout(
      () => reject(new RequestError(504, "TIMEOUT the review did not end before its deadline")),
      limits.lastCall - limits.deadline,
    );
  }, limits.deadline);
  const end = (error: RequestError): void => {
    reject(error);
    controller.abort(error);
  };
  return { signal: controller.signal, ended, end, clear: () => clearTimeout(timer) };
}
