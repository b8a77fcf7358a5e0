import type { ClosedConnection } from "../server/connections.ts";
import type { ConnectionLabels } from "../telemetry/labels.ts";
import type { Telemetry } from "../telemetry/telemetry.ts";

/** Milliseconds between two log lines: a flood of connections must not fill the log. */
const between = 60_000;

/**
 * Counts the connections to a port that were closed above a limit. Once a minute it logs how many, with the latest
 * client's address: as a metric label, addresses would have no bound.
 *
 * @param now milliseconds since 1970
 */
export function closedConnections(
  { metrics, log }: Telemetry,
  port: ConnectionLabels["port"],
  now: () => number,
): (closed: ClosedConnection) => void {
  let [count, last] = [0, -Infinity];
  return ({ limit, closed, client }) => {
    metrics.observeConnectionClosed({ port, limit, closed });
    count += 1;
    if (now() - last < between) return;
    log.warn("connections were closed because there were too many", { port, limit, closed, client, count });
    [count, last] = [0, now()];
  };
}
