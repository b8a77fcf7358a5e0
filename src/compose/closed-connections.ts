import type { ClosedConnection } from "../server/connections.ts";
import type { ConnectionLabels } from "../telemetry/labels.ts";
import type { Telemetry } from "../telemetry/telemetry.ts";

/** Between two lines, milliseconds: whoever opens connections must not fill the log with them. */
const between = 60_000;

/**
 * Counts the connections to a port that were closed because there were too many, and logs, once a minute, how many
 * since the last line and whose the latest was. Addresses are for the log only: as labels there would be no end of them.
 *
 * @param now milliseconds
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
