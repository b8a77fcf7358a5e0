import type { AdmissionRequest } from "../admission/admission-request.ts";
import type { Decision } from "../admission/decision.ts";
import { denialEvent, denies } from "../admission/response/denial-event.ts";
import { handle, type HandleDeps } from "../admission/handle.ts";
import type { EventWriter } from "../cluster/live/events/writer.ts";
import { LoopTurns } from "../evaluation/loop-turns.ts";
import { ReadBudget } from "../evaluation/read-budget.ts";
import { RememberedWalks } from "../evaluation/remembered-walks.ts";
import type { ReviewHandler } from "../server/app.ts";
import { SourceError } from "../skill/source-error.ts";
import type { Telemetry } from "../telemetry/telemetry.ts";
import type { Connected } from "./connected.ts";
import type { measuredEvidence } from "./evidence.ts";

/** Limit on the work of one review, milliseconds. Work beyond the deadline warms caches for the caller's next try. */
const workLimit = 30_000;

/**
 * Signals that abort after the limit, give or take a second. Reviews within one second share a signal: a timer each
 * would add up to a hundred thousand under load.
 */
function sharedSignals(limit: number): () => AbortSignal {
  let shared = AbortSignal.abort();
  let until = 0;
  return () => {
    const now = performance.now();
    if (now < until) return shared;
    until = now + 1000;
    shared = AbortSignal.timeout(limit);
    return shared;
  };
}

/** Wraps reviews with metrics and a log line; neither enters the decision. */
export function reviewer(
  { cluster, events }: Connected,
  { metrics, log }: Telemetry,
  measured: ReturnType<typeof measuredEvidence>,
): ReviewHandler {
  const deps: HandleDeps = {
    cluster,
    policies: cluster,
    source: {
      async read(ref, signal) {
        const started = performance.now();
        const outcome = (word: Parameters<typeof metrics.observeFetch>[2]): void =>
          metrics.observeFetch((performance.now() - started) / 1000, ref.kind, word);
        try {
          const object = await cluster.read(ref, signal);
          outcome(object === undefined ? "absent" : "found");
          return object;
        } catch (error) {
          outcome(error instanceof SourceError ? error.code : "SOURCE_UNAVAILABLE");
          throw error;
        }
      },
    },
    ...measured,
    walks: new RememberedWalks(),
    workSignal: sharedSignals(workLimit),
    reads: new ReadBudget(),
    turns: new LoopTurns(),
  };
  return async (body, signal, client) => {
    const done = metrics.startRequest();
    const started = performance.now();
    try {
      const answer = await handle(body, deps, signal, Date.now());
      const { decision, request } = answer;
      const milliseconds = performance.now() - started;
      if (answer.isSelfCheck === true) return answer;
      if (decision === undefined) {
        metrics.observeRefusal(answer.status === 200 ? 400 : answer.status);
        log.warn("a body that is no review", { status: answer.status, answer: answer.body, client });
      } else {
        metrics.observeDecision(decision, milliseconds / 1000);
        log.decision(decision, milliseconds, client);
        if (events !== undefined && denies(decision)) setImmediate(tellEvent, events, decision, request);
      }
      return answer;
    } finally {
      done();
    }
  };
}

/** Runs after the answer is sent: an Event must not delay it. */
function tellEvent(events: EventWriter, decision: Decision, request: AdmissionRequest | undefined): void {
  const event = denialEvent(decision, request?.object ?? request?.oldObject);
  if (event !== undefined) events.tell(event);
}
