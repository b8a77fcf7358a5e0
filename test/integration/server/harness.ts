import { setTimeout as sleep } from "node:timers/promises";

import { createApp, type Refusal, type ReviewHandler } from "../../../src/server/app.ts";
import type { CertificateSource } from "../../../src/server/certificates/certificate-source.ts";
import type { ClientAuthority } from "../../../src/server/certificates/client-authority.ts";
import { clientGate } from "../../../src/server/client-gate.ts";
import { startSelfIssued, type Clock } from "../../../src/server/certificates/self-issued.ts";
import type { ShareLimit } from "../../../src/server/shares.ts";
import { createMemoryStore } from "../../../src/server/certificates/store.ts";
import type { ClosedConnection } from "../../../src/server/connections.ts";
import {
  startWebhookServer,
  type ConnectionLimits,
  type RunningServer,
} from "../../../src/server/webhook-server.ts";
import { httpsClient } from "../../fixtures/https-client.ts";

export const realClock: Clock = {
  now: () => Date.now(),
  sleep: (milliseconds, signal) => sleep(milliseconds, undefined, { signal, ref: false }),
};

export interface Harness {
  readonly server: RunningServer;
  readonly certificates: CertificateSource;
  readonly ca: string;
  readonly faults: unknown[];
  readonly problems: string[];
  /** Connections that were closed above a limit. */
  readonly closed: ClosedConnection[];
  /** Requests that were answered without a review. */
  readonly refusals: Refusal[];
  readonly client: ReturnType<typeof httpsClient>;
  /** Makes `draining` true. */
  readonly startDraining: () => void;
  stop(): Promise<void>;
}

/** A webhook server on a free port of 127.0.0.1, with real certificates. */
export async function startHarness(
  review: ReviewHandler,
  options: {
    readonly timeoutSeconds?: number;
    readonly certificates?: CertificateSource;
    readonly address?: string;
    readonly limits?: Partial<ConnectionLimits>;
    readonly reviewsAtOnce?: ShareLimit;
    readonly clients?: ClientAuthority;
    /** Milliseconds since 1970, for client certificates. */
    readonly now?: () => number;
  } = {},
): Promise<Harness> {
  const ended = new AbortController();
  const faults: unknown[] = [];
  const problems: string[] = [];
  const closed: ClosedConnection[] = [];
  const refusals: Refusal[] = [];
  let draining = false;
  const report = (problem: unknown): void => void faults.push(problem);
  const certificates =
    options.certificates ??
    (await startSelfIssued({
      names: ["127.0.0.1", "localhost"],
      store: createMemoryStore(),
      clock: realClock,
      signal: ended.signal,
      report,
    }));
  const app = createApp({
    review,
    readiness: () => problems,
    timeoutSeconds: options.timeoutSeconds ?? 5,
    ...(options.reviewsAtOnce !== undefined && { reviewsAtOnce: options.reviewsAtOnce }),
    ...(options.clients && { gate: clientGate(options.clients, options.now ?? Date.now) }),
    draining: () => draining,
    onFault: report,
    onRefusal: (one) => void refusals.push(one),
  });
  const where = { address: options.address ?? "127.0.0.1", port: 0 };
  const server = await startWebhookServer(app, certificates, where, {
    report,
    onClosed: (one) => void closed.push(one),
    ...(options.limits && { limits: options.limits }),
    ...(options.clients && { clients: options.clients }),
  });
  const ca = certificates.current().caBundle ?? "";
  const client = httpsClient(server.port, ca);
  return {
    server,
    certificates,
    ca,
    faults,
    problems,
    refusals,
    closed,
    client,
    startDraining: () => void (draining = true),
    async stop() {
      client.agent.destroy();
      await server.close(100);
      ended.abort();
    },
  };
}
