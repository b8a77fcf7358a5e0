import { writeFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import type { Config } from "../config.ts";
import { createApp } from "../server/app.ts";
import { certificateProblems, type CertificateSource } from "../server/certificates/certificate-source.ts";
import { startCertificateFiles } from "../server/certificates/from-files.ts";
import { startSelfIssued, type Clock } from "../server/certificates/self-issued.ts";
import { startMetricsServer } from "../server/metrics-server.ts";
import { drain, startWebhookServer, type RunningServer } from "../server/webhook-server.ts";
import type { Log } from "../telemetry/log.ts";
import { createTelemetry, type Telemetry } from "../telemetry/telemetry.ts";
import type { Build } from "./build.ts";
import { closedConnections } from "./closed-connections.ts";
import { connect } from "./connect.ts";
import type { Connected, Registration } from "./connected.ts";
import { refusedRequests } from "./refused-requests.ts";
import { reviewer } from "./reviewer.ts";

const clock: Clock = {
  now: () => Date.now(),
  sleep: (milliseconds, signal) => sleep(milliseconds, undefined, { signal }),
};

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
  const telemetry = createTelemetry({ ...build, logLevel: config.logLevel });
  const { log, metrics } = telemetry;
  metrics.setLimits({ timeoutSeconds: config.timeoutSeconds, memory: build.memoryLimit });
  const report = (problem: unknown): void => log.error("problem", { error: problem });
  const ended = new AbortController();
  const connected = await connect(config, telemetry);
  const { cluster, leadership } = connected;
  let registration: Registration | undefined;
  let servers: Servers | undefined;
  try {
    const published = (bundle: string): boolean => registration?.published(bundle) ?? false;
    const certificates = await certificatesOf(config, connected, { signal: ended.signal, report, published });
    announceCertificate(certificates, telemetry, config, report);
    const readiness = readinessOf(connected, certificates, () => registration);
    metrics.setProbes({
      ready: () => !stop.aborted && readiness().length === 0,
      ...(config.lease && { leads: () => leadership.leadingSignal() !== undefined }),
      ...(connected.register && { registered: () => registration?.registered() ?? false }),
    });
    const app = createApp({
      review: reviewer(connected, telemetry),
      readiness,
      timeoutSeconds: config.timeoutSeconds,
      draining: () => stop.aborted,
      onFault: report,
      onRefusal: refusedRequests(telemetry, Date.now),
    });
    servers = await startServers(config, { app, certificates, telemetry, report });
    const { address, port } = servers.reviews;
    log.info("serving", { address, port, metricsPort: servers.metrics.port, ...build });
    // Registration waits until reviews can be answered: an earlier one would block every object in its scope.
    if (await untilReady(() => cluster.readiness().length === 0, stop)) {
      // Only a replica that can answer campaigns for the lead: another leader would not register the webhook.
      leadership.campaign();
      registration = connected.register?.(certificates);
      certificates.onChange(() => void registration?.refresh());
      if (await untilReady(() => readiness().length === 0, stop)) announceReady(connected, registration, log);
    }
    await aborted(stop);
    log.info("stopping", { graceSeconds: config.graceSeconds, drainSeconds: config.drainSeconds });
    // A process that is stopping must not undo its successor's registration, or its removal.
    await registration?.close();
    await leadership.close();
    const times = { grace: config.graceSeconds * 1000, limit: config.drainSeconds * 1000, hurry };
    // Readiness fails from the moment that `stop` aborts.
    await drain(servers.reviews, () => undefined, times);
  } finally {
    ended.abort();
    // An open server would go on answering, and keep the process alive.
    await servers?.reviews.close(1000);
    await servers?.metrics.close(1000);
    await registration?.close();
    await leadership.close();
    await connected.events?.close();
    await cluster.close();
  }
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
    telemetry,
    report,
  }: {
    readonly app: ReturnType<typeof createApp>;
    readonly certificates: CertificateSource;
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
    const reports = { report, onClosed: onClosed("webhook") };
    const asked = { address: config.address, port: config.port, exclusive };
    return { metrics, reviews: await startWebhookServer(app, certificates, asked, reports) };
  } catch (error) {
    await metrics.close(1000);
    throw error;
  }
}

function announceReady({ cluster }: Connected, registration: Registration | undefined, log: Log): void {
  const policies = cluster.current().policies.length;
  log.info(registration?.registered() === true ? "ready and registered" : "ready", { policies });
  if (policies === 0) log.warn("there is no ClusterSkillPolicy, so everything is admitted");
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

function certificatesOf(
  { tlsFiles }: Config,
  { store, names, leadership, register }: Connected,
  life: {
    readonly signal: AbortSignal;
    readonly report: (problem: unknown) => void;
    readonly published: (bundle: string) => boolean;
  },
): Promise<CertificateSource> {
  if (tlsFiles !== undefined) return startCertificateFiles({ ...tlsFiles, ...life, clock });
  return startSelfIssued({
    store,
    names,
    clock,
    ...life,
    // Without a cluster there is no registration to wait for.
    ...(register === undefined ? { published: () => true } : {}),
    maintains: () => leadership.leadingSignal() !== undefined,
    prompted: (look) => leadership.onChange(look),
  });
}

/** Publishes this certificate and every later one: to metrics, and to `--ca-file`. */
function announceCertificate(
  certificates: CertificateSource,
  { metrics }: Telemetry,
  { caFile }: Config,
  report: (problem: unknown) => void,
): void {
  const announce = ({
    notAfter,
    authorityNotAfter,
    caBundle,
  }: ReturnType<CertificateSource["current"]>): void => {
    metrics.setCertificate("serving", notAfter);
    if (authorityNotAfter !== undefined) metrics.setCertificate("authority", authorityNotAfter);
    if (caFile !== undefined && caBundle !== undefined) writeFile(caFile, caBundle).catch(report);
  };
  announce(certificates.current());
  certificates.onChange(announce);
}
