import { createServer } from "node:http";

import type { ListenOptions } from "./acceptors.ts";
import type { ClosedConnection } from "./connections.ts";
import {
  connectionLimits,
  endBadConnections,
  endStuckConnections,
  listen,
  type RunningServer,
} from "./webhook-server.ts";

/** Metrics in the text format of Prometheus, with its content type. */
export type MetricsReader = () => Promise<{ readonly contentType: string; readonly body: string }>;

/** Callbacks of the metrics server. */
export interface MetricsReports {
  /** Runs where the metrics could not be read. */
  readonly onFault: (error: unknown) => void;
  /** Runs for each connection that was closed above a limit. */
  readonly onClosed?: (closed: ClosedConnection) => void;
}

/** Limits of the metrics port: a scraper keeps a connection or two. */
const scrapers = { total: 256, perClient: 64 } as const;

/**
 * `GET /metrics` over plain HTTP on its own port: scraping needs no certificate, and the monitoring system no access
 * to the webhook's port.
 */
export function startMetricsServer(
  read: MetricsReader,
  where: ListenOptions,
  { onFault, onClosed = () => undefined }: MetricsReports,
): Promise<RunningServer> {
  const server = createServer(
    {
      headersTimeout: connectionLimits.headers,
      requestTimeout: connectionLimits.headers,
      keepAliveTimeout: connectionLimits.idle,
      connectionsCheckingInterval: connectionLimits.checkEvery,
      maxHeaderSize: connectionLimits.headerBytes,
    },
    (request, response) => {
      const end = (status: number, contentType: string, body: string): void => {
        response.writeHead(status, { "content-type": contentType }).end(body);
      };
      const [path] = (request.url ?? "").split("?", 1);
      // A body is discarded as it arrives.
      request.resume();
      if (path !== "/metrics") end(404, "text/plain; charset=utf-8", "not found: there is /metrics\n");
      else if (request.method !== "GET")
        end(405, "text/plain; charset=utf-8", "method not allowed: use GET\n");
      else {
        read().then(
          ({ contentType, body }) => end(200, contentType, body),
          (error: unknown) => {
            onFault(error);
            end(500, "text/plain; charset=utf-8", "the metrics could not be read; see the log\n");
          },
        );
      }
    },
  );
  endBadConnections(server);
  endStuckConnections(server, connectionLimits.idle);
  return listen(server, where, scrapers, onClosed);
}
