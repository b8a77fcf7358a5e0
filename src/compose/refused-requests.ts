import type { Refusal } from "../server/app.ts";
import type { Telemetry } from "../telemetry/telemetry.ts";

/** Milliseconds between two log lines of one status: a flood of requests must not fill the log. */
const between = 60_000;

/**
 * Counts the requests that were answered without a review. Of each status it logs once a minute how many, with the
 * latest client's address: as a metric label, addresses would have no bound.
 *
 * @param now milliseconds since 1970
 */
export function refusedRequests({ metrics, log }: Telemetry, now: () => number): (refusal: Refusal) => void {
  const tallies = new Map<number, { count: number; last: number }>();
  return ({ status, message, client }) => {
    metrics.observeRefusal(status);
    const tally = tallies.get(status) ?? { count: 0, last: -Infinity };
    tallies.set(status, tally);
    tally.count += 1;
    if (now() - tally.last < between) return;
    log.warn("requests were answered without a review", { status, message, client, count: tally.count });
    [tally.count, tally.last] = [0, now()];
  };
}
