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

/** The present metrics in the text format, and its content type. */
export type MetricsReader = () => Promise<{ readonly contentType: string; readonly body: string }>;

/** Who is told of what goes wrong. */
export interface MetricsReports {
  /** The metrics could not be read. */
  readonly onFault: (error: unknown) => void;
  /** A connection was closed because there were too many. */
  readonly onClosed?: (closed: ClosedConnection) => void;
}

/** Who scrapes has a connection or two; other callers are people who look. */
const scrapers = { total: 256, perClient: 64 } as const;

/**
 * `GET /metrics` over plain HTTP, on a port of its own, so that scraping needs no certificate and the webhook's port
 * need not be open to the monitoring system.
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
      // A body is of no interest: it is thrown away as it comes.
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
