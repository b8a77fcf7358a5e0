import { constants } from "node:crypto";
import type { RequestListener, Server as HttpServer } from "node:http";
import { createServer } from "node:https";
import { setTimeout as sleep } from "node:timers/promises";

import { messageOf } from "../text/message-of.ts";
import { acceptOn, type ListenOptions } from "./acceptors.ts";
import type { CertificateSource, ServingCertificate } from "./certificates/certificate-source.ts";
import type { ClientAuthority } from "./certificates/client-authority.ts";
import { limitConnections, type ClosedConnection, type ConnectionLimit } from "./connections.ts";

/** A listening server. */
export interface RunningServer {
  readonly address: string;
  readonly port: number;
  /**
   * Stops accepting, closes idle connections, and lets requests in flight finish; after `limit` milliseconds it cuts
   * them off. Resolves when all connections are closed.
   */
  close(limit: number): Promise<void>;
}

/**
 * Limits on connections. API servers hold a handful open, the kubelet one now and then; more is a mistake or an
 * attack, and must not keep them out for long.
 */
export const connectionLimits = {
  total: 2048,
  /**
   * Per client. Go's HTTP client opens a connection for each review that finds none idle, and behind konnectivity, or
   * a Service with source NAT, all API servers share one address: it must allow for the 512 concurrent reviews, and
   * for others that are refused in words (503).
   */
  perClient: 640,
  /** TLS handshake, milliseconds. */
  handshake: 10_000,
  /** All headers, milliseconds. */
  headers: 10_000,
  /** A whole request with its body, milliseconds: above a webhook's longest time-out, 30 s. */
  request: 35_000,
  /**
   * Idle, milliseconds: above the 90 s after which Go's HTTP client closes an idle connection. If the server closed
   * it first, a review could be sent into the closing connection, and the failurePolicy would deny it.
   */
  idle: 120_000,
  /** Bytes of all headers. */
  headerBytes: 16 * 1024,
  /** Interval at which the time limits are checked, milliseconds. */
  checkEvery: 2_000,
} as const;

/** Limits on a server's connections, see `connectionLimits`. */
export type ConnectionLimits = { readonly [name in keyof typeof connectionLimits]: number };

/**
 * TLS 1.2 is the least that the API server's client offers; HTTP/2 is not supported. Where clients bring certificates,
 * no session is resumed: a resumed one would be taken at the word of a verification long ago.
 */
const secureOptions = ({ key, cert }: ServingCertificate, clients: ClientAuthority | undefined) =>
  ({
    key,
    cert,
    minVersion: "TLSv1.2",
    ALPNProtocols: ["http/1.1"],
    ...(clients && { ca: clients.current().pem, secureOptions: constants.SSL_OP_NO_TICKET }),
  }) as const;

/** Handles broken connections, garbage and failed handshakes: they concern only their own connection. */
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

/** Closes connections whose client neither sends nor reads: no other limit covers writing. */
export const endStuckConnections = (server: HttpServer, idle: number): void => {
  server.setTimeout(idle, (socket) => socket.destroy());
};

/**
 * Listens, with limits on connections.
 * @param told receives every connection that was closed above a limit
 * @throws Error naming address and port where it cannot listen
 */
export async function listen(
  server: HttpServer,
  where: ListenOptions,
  limit: ConnectionLimit,
  told: (closed: ClosedConnection) => void,
): Promise<RunningServer> {
  limitConnections(server, limit, told);
  const acceptors = await acceptOn(server, where).catch((cause: unknown) => {
    const hint =
      (cause as NodeJS.ErrnoException).code === "EADDRINUSE"
        ? "; another process has it: is an earlier one still stopping?"
        : "";
    const text = `cannot listen on ${where.address} port ${where.port}: ${messageOf(cause)}${hint}`;
    throw new Error(text, { cause });
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

/** Callbacks and limits of a server. */
export interface ServerOptions {
  /** Receives the error of a certificate that cannot be used; the present one stays. */
  readonly report: (problem: unknown) => void;
  /** Runs for each connection that was closed above a limit. */
  readonly onClosed?: (closed: ClosedConnection) => void;
  /** Overrides of `connectionLimits`. */
  readonly limits?: Partial<ConnectionLimits>;
  /**
   * Asks each client for its certificate, without insisting: the kubelet's probes bring none. The app decides by
   * `clientGate`.
   */
  readonly clients?: ClientAuthority;
}

/**
 * Serves an app over HTTPS with the source's certificate. A later certificate counts from the next handshake on; open
 * connections stay.
 *
 * @throws Error naming address and port where it cannot listen
 */
export async function startWebhookServer(
  app: RequestListener,
  certificates: CertificateSource,
  where: ListenOptions,
  { report, onClosed = () => undefined, limits: differing, clients }: ServerOptions,
): Promise<RunningServer> {
  const limits: ConnectionLimits = { ...connectionLimits, ...differing };
  const server = createServer(
    {
      ...secureOptions(certificates.current(), clients),
      requestCert: clients !== undefined,
      rejectUnauthorized: false,
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
  const renew = (): void => {
    try {
      server.setSecureContext(secureOptions(certificates.current(), clients));
    } catch (error) {
      report(error);
    }
  };
  const unsubscribe = [certificates.onChange(renew), clients?.onChange(renew)];
  const running = await listen(server, where, limits, onClosed);
  return {
    ...running,
    async close(limit) {
      await running.close(limit);
      unsubscribe.forEach((end) => end?.());
    },
  };
}

/** Timing of a stop, milliseconds. */
export interface DrainOptions {
  /** Time to go on serving after readiness fails: every proxy drops the endpoint meanwhile. */
  readonly grace: number;
  /** Time for requests in flight. */
  readonly limit: number;
  /** Ends the grace period, such as a second signal to stop. */
  readonly hurry?: AbortSignal;
}

/**
 * Stops a server without failing a review: fails readiness, waits for the grace period, closes connections. Takes at
 * most `grace` and `limit` together.
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
