import type { RequestListener, Server as HttpServer } from "node:http";
import { createServer } from "node:https";
import { setTimeout as sleep } from "node:timers/promises";

import { messageOf } from "../text/message-of.ts";
import { acceptOn, type ListenOptions } from "./acceptors.ts";
import type { CertificateSource, ServingCertificate } from "./certificates/certificate-source.ts";
import { limitConnections, type ClosedConnection, type ConnectionLimit } from "./connections.ts";

/** A server that runs. */
export interface RunningServer {
  readonly address: string;
  readonly port: number;
  /**
   * Takes no new connections, ends idle ones, lets requests in flight finish, and after so many milliseconds cuts off
   * those that did not. Resolves when nothing is open any more.
   */
  close(limit: number): Promise<void>;
}

/**
 * Bounds on connections. API servers hold a handful of connections open and the kubelet one now and then; everything
 * else is a mistake or an attack, and must not keep them out for long.
 */
export const connectionLimits = {
  total: 2048,
  /**
   * From one address. Go's HTTP client opens a connection for each review that finds none idle, and behind konnectivity,
   * or a Service that hides its callers, all API servers come from one address: they must be able to have
   * as many reviews answered as are answered at once, 512, and the rest refused in words (503).
   */
  perClient: 640,
  /** TLS handshake, milliseconds. */
  handshake: 10_000,
  /** All headers, milliseconds. */
  headers: 10_000,
  /** A whole request with its body, milliseconds: above the longest time-out of a webhook, 30 s. */
  request: 35_000,
  /**
   * Idle, milliseconds. Above the 90 s after which Go's HTTP client ends an idle connection: were it us who ended it,
   * a review could be sent into the closing connection and would be denied by the failurePolicy.
   */
  idle: 120_000,
  /** Header bytes. */
  headerBytes: 16 * 1024,
  /** How often the limits on time are checked, milliseconds. */
  checkEvery: 2_000,
} as const;

/** What a server keeps to, see `connectionLimits`. */
export type ConnectionLimits = { readonly [name in keyof typeof connectionLimits]: number };

/** TLS 1.2 is what the API server's client offers at least; HTTP/2 is not spoken. */
const secureOptions = ({ key, cert }: ServingCertificate) =>
  ({ key, cert, minVersion: "TLSv1.2", ALPNProtocols: ["http/1.1"] }) as const;

/** Connections that break off, garbage and bad handshakes concern only the connection that they came on. */
export function endBadConnections(server: HttpServer): void {
  server.on("clientError", (error: NodeJS.ErrnoException, socket) => {
    if (error.code === "ECONNRESET" || !socket.writable) {
      socket.destroy();
      return;
    }
    const status =
      error.code === "HPE_HEADER_OVERFLOW" ? "431 Request Header Fields Too Large" : "400 Bad Request";
    socket.end(`HTTP/1.1 ${status}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`, () =>
      socket.destroy(),
    );
  });
}

/** A client that does not read its answer, or says nothing, is not waited for: no other limit is about writing. */
export const endStuckConnections = (server: HttpServer, idle: number): void => {
  server.setTimeout(idle, (socket) => socket.destroy());
};

/**
 * Has an HTTP server listen, with at most so many connections.
 * @param told of connections that were closed because there were too many
 * @throws Error naming address and port where they cannot be listened on
 */
export async function listen(
  server: HttpServer,
  where: ListenOptions,
  limit: ConnectionLimit,
  told: (closed: ClosedConnection) => void,
): Promise<RunningServer> {
  limitConnections(server, limit, told);
  const acceptors = await acceptOn(server, where).catch((cause: unknown) => {
    throw new Error(`cannot listen on ${where.address} port ${where.port}: ${messageOf(cause)}`, { cause });
  });
  return {
    address: where.address,
    port: acceptors.port,
    close: async (limit) => {
      const ended = AbortSignal.timeout(Math.max(1, limit));
      ended.addEventListener("abort", acceptors.cutOff, { once: true });
      const closed = acceptors.close();
      server.closeIdleConnections();
      await closed;
      ended.removeEventListener("abort", acceptors.cutOff);
    },
  };
}

/** Who is told of what goes wrong outside a request, and what connections keep to. */
export interface ServerOptions {
  /** A certificate cannot be used; the present one stays. */
  readonly report: (problem: unknown) => void;
  /** A connection was closed because there were too many. */
  readonly onClosed?: (closed: ClosedConnection) => void;
  /** What differs from `connectionLimits`. */
  readonly limits?: Partial<ConnectionLimits>;
}

/**
 * Serves an app over HTTPS with the source's certificate, and with every later one from the next handshake on;
 * connections that are open stay as they are.
 *
 * @throws Error naming address and port where they cannot be listened on
 */
export async function startWebhookServer(
  app: RequestListener,
  certificates: CertificateSource,
  where: ListenOptions,
  { report, onClosed = () => undefined, limits: differing }: ServerOptions,
): Promise<RunningServer> {
  const limits: ConnectionLimits = { ...connectionLimits, ...differing };
  const server = createServer(
    {
      ...secureOptions(certificates.current()),
      handshakeTimeout: limits.handshake,
      headersTimeout: limits.headers,
      requestTimeout: limits.request,
      keepAliveTimeout: limits.idle,
      connectionsCheckingInterval: limits.checkEvery,
      maxHeaderSize: limits.headerBytes,
      noDelay: true,
    },
    app,
  );
  endBadConnections(server);
  endStuckConnections(server, limits.idle);
  server.on("tlsClientError", (_error, socket) => socket.destroy());
  const unsubscribe = certificates.onChange((next) => {
    try {
      server.setSecureContext(secureOptions(next));
    } catch (error) {
      report(error);
    }
  });
  const running = await listen(server, where, limits, onClosed);
  return {
    ...running,
    async close(limit) {
      await running.close(limit);
      unsubscribe();
    },
  };
}

/** How a server is stopped, milliseconds. */
export interface DrainOptions {
  /** Goes on serving so long after readiness fails, for endpoints to be taken out of every proxy's tables. */
  readonly grace: number;
  /** Waits so long for requests in flight. */
  readonly limit: number;
  /** Cuts the grace short, such as a second signal to stop. */
  readonly hurry?: AbortSignal;
}

/**
 * Stops a server without failing a review: first `failReadiness`, then the grace, then the connections.
 * Never takes longer than grace and limit together.
 */
export async function drain(
  server: RunningServer,
  failReadiness: () => void,
  { grace, limit, hurry }: DrainOptions,
): Promise<void> {
  failReadiness();
  await sleep(grace, undefined, hurry === undefined ? {} : { signal: hurry }).catch(() => undefined);
  await server.close(limit);
}
