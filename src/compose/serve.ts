import { setTimeout as sleep } from "node:timers/promises";
import type { Config } from "../config.ts";
import { createApp } from "../server/app.ts";
import { certificateProblems, type CertificateSource } from "../server/certificates/certificate-source.ts";
import type { ClientAuthority } from "../server/certificates/client-authority.ts";
import { clientGate } from "../server/client-gate.ts";
import { startMetricsServer } from "../server/metrics-server.ts";
import { drain, startWebhookServer, type RunningServer } from "../server/webhook-server.ts";
import type { Log } from "../telemetry/log.ts";
import { createTelemetry, type Telemetry } from "../telemetry/telemetry.ts";
import type { Build } from "./build.ts";
import { announceCertificate, certificatesOf, clientsOf } from "./certificates.ts";
import { closedConnections } from "./closed-connections.ts";
import { withoutLists } from "../policy/always.ts";
import { connect } from "./connect.ts";
import { measuredEvidence } from "./evidence.ts";
import type { Connected, Registration } from "./connected.ts";
import { refusedRequests } from "./refused-requests.ts";
import { reviewer } from "./reviewer.ts";

/**
 * Runs the webhook until `stop` aborts; then drains.
 *
 * @param hurry a second signal to stop, which ends the grace period
 * @throws Error where it cannot start, in words
 */
export async function serve(
  config: Config,
  build: Build,
  stop: AbortSignal,
  hurry: AbortSignal,
): Promise<void> {
  const telemetry = telemetryOf(config, build);
  const { log, metrics } = telemetry;
  metrics.setLimits({ timeoutSeconds: config.timeoutSeconds, memory: build.memoryLimit });
  const report = (problem: unknown): void => log.error("problem", { error: problem });
  const ended = new AbortController();
  const connected = await connect(config, telemetry);
  const { cluster, leadership } = connected;
  let registration: Registration | undefined;
  let servers: Servers | undefined;
  let recheck: { close(): Promise<void> } | undefined;
  try {
    const life = { signal: ended.signal, report };
    const published = (bundle: string): boolean => registration?.published(bundle) ?? false;
    const certificates = await certificatesOf(config, connected, { ...life, published });
    announceCertificate(certificates, telemetry, config, report);
    const clients = await clientsOf(config, telemetry, life);
    const readiness = readinessOf(connected, certificates, () => registration);
    metrics.setProbes({
      ready: () => !stop.aborted && readiness().length === 0,
      ...(config.lease && { leads: () => leadership.leadingSignal() !== undefined }),
      ...(connected.register && { registered: () => registration?.registered() ?? false }),
    });
    const measured = measuredEvidence(telemetry);
    const app = createApp({
      review: reviewer(connected, telemetry, measured),
      ...(clients && { gate: clientGate(clients, Date.now) }),
      readiness,
      timeoutSeconds: config.timeoutSeconds,
      draining: () => stop.aborted,
      onFault: report,
      onRefusal: refusedRequests(telemetry, Date.now),
    });
    servers = await startServers(config, { app, certificates, clients, telemetry, report });
    announceServing(servers, log, build);
    // Registration waits until reviews can be answered: an earlier one would block every object in its scope.
    if (await untilReady(() => cluster.readiness().length === 0, stop)) {
      // Only a replica that can answer campaigns for the lead: another leader would not register the webhook.
      leadership.campaign();
      registration = connected.register?.(certificates);
      certificates.onChange(() => void registration?.refresh());
      recheck = connected.recheck?.(measured, telemetry);
      if (await untilReady(() => readiness().length === 0, stop)) announceReady(connected, registration, log);
    }
    await aborted(stop);
    log.info("stopping", { graceSeconds: config.graceSeconds, drainSeconds: config.drainSeconds });
    // A process that is stopping must not undo its successor's registration, or its removal.
    await endDuties(registration, recheck, leadership);
    const times = { grace: config.graceSeconds * 1000, limit: config.drainSeconds * 1000, hurry };
    // Readiness fails from the moment that `stop` aborts.
    await drain(servers.reviews, () => undefined, times);
  } finally {
    ended.abort();
    // An open server would go on answering, and keep the process alive.
    for (const server of [servers?.reviews, servers?.metrics]) await server?.close(1000);
    await endDuties(registration, recheck, leadership);
    await connected.events?.close();
    await cluster.close();
  }
}

const telemetryOf = ({ logLevel, metricsNamespaces: namespaces }: Config, build: Build): Telemetry =>
  createTelemetry({ ...build, logLevel, namespaces });

/** Ends what only a leader does, then gives up the lead. */
async function endDuties(...duties: readonly ({ close(): Promise<void> } | undefined)[]): Promise<void> {
  for (const duty of duties) await duty?.close();
}

interface Servers {
  readonly reviews: RunningServer;
  readonly metrics: RunningServer;
}

/** Starts both servers, or neither where one cannot listen. */
async function startServers(
  config: Config,
  {
    app,
    certificates,
    clients,
    telemetry,
    report,
  }: {
    readonly app: ReturnType<typeof createApp>;
    readonly certificates: CertificateSource;
    readonly clients: ClientAuthority | undefined;
    readonly telemetry: Telemetry;
    readonly report: (problem: unknown) => void;
  },
): Promise<Servers> {
  const onClosed = (port: "webhook" | "metrics") => closedConnections(telemetry, port, Date.now);
  const { exclusivePorts: exclusive } = config;
  const scraped = { address: config.metricsAddress, port: config.metricsPort, exclusive };
  const metrics = await startMetricsServer(() => telemetry.metrics.read(), scraped, {
    onFault: report,
    onClosed: onClosed("metrics"),
  });
  try {
    const options = { report, onClosed: onClosed("webhook"), ...(clients && { clients }) };
    const asked = { address: config.address, port: config.port, exclusive };
    return { metrics, reviews: await startWebhookServer(app, certificates, asked, options) };
  } catch (error) {
    await metrics.close(1000);
    throw error;
  }
}

function announceServing({ reviews: { address, port }, metrics }: Servers, log: Log, build: Build): void {
  log.info("serving", { address, port, metricsPort: metrics.port, ...build });
}

function announceReady({ cluster }: Connected, registration: Registration | undefined, log: Log): void {
  const { policies } = cluster.current();
  log.info(registration?.registered() === true ? "ready and registered" : "ready", {
    policies: withoutLists(policies).length,
  });
  if (policies.length === 0) log.warn("there is no ClusterSkillPolicy, so everything is admitted");
}

/** Reasons why reviews cannot be answered here, a sentence each. */
function readinessOf(
  { cluster, register }: Connected,
  certificates: CertificateSource,
  registration: () => Registration | undefined,
): () => readonly string[] {
  const unregistered = register === undefined ? [] : ["the webhook is not registered yet"];
  return () => [
    ...cluster.readiness(),
    ...certificateProblems(certificates, Date.now()),
    ...(registration()?.readiness() ?? unregistered),
  ];
}

const readyPoll = 50;

/** Waits for a state; false where `stop` aborts first. */
async function untilReady(ready: () => boolean, stop: AbortSignal): Promise<boolean> {
  while (!ready()) {
    if (stop.aborted) return false;
    await sleep(readyPoll, undefined, { signal: stop }).catch(() => undefined);
  }
  return true;
}

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
