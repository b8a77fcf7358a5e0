import { Counter, Gauge, Histogram, type Registry } from "prom-client";

import type { ConnectionLabels, RequestLabels, ResultLabels, ViolationLabels } from "./labels.ts";
import { talliedCounter } from "./tallied-counter.ts";

const requestBuckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const verificationBuckets = [
  0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5,
];
/** 1 KiB to 64 MiB, the largest skill. */
const sizeBuckets = [1, 4, 16, 64, 256, 1024, 4096, 16_384, 65_536].map((kibibytes) => kibibytes * 1024);

/** Begins the name of every metric of ours. */
export const prefix = "skill_admission_";

/** Number of reviews that are being worked on. */
function inFlightReviews(registry: Registry): { begin(): void; end(): void } {
  let count = 0;
  new Gauge({
    name: `${prefix}requests_in_flight`,
    help: "Reviews being worked on",
    registers: [registry],
    collect() {
      this.set(count);
    },
  });
  return { begin: () => void (count += 1), end: () => void (count -= 1) };
}

/** Metrics of verdicts. */
function verdictInstruments(registers: Registry[]) {
  return {
    results: talliedCounter<keyof ResultLabels>(
      {
        name: `${prefix}policy_results_total`,
        help: "What each policy said of the objects that it governs",
        labelNames: ["policy", "tenant", "mode", "result", "attempt"],
        registers,
      },
      ({ policy, tenant, mode, result, attempt }) => `${mode} ${result} ${attempt} ${policy}\n${tenant}`,
    ),
    violations: talliedCounter<keyof ViolationLabels>(
      {
        name: `${prefix}violations_total`,
        help: "Findings by reason code; enforced: the object was denied for it",
        labelNames: ["policy", "tenant", "reason", "enforced"],
        registers,
      },
      ({ policy, tenant, reason, enforced }) => `${reason} ${enforced} ${policy}\n${tenant}`,
    ),
  };
}

/** Metrics of reviews. */
export function reviewInstruments(registry: Registry) {
  const registers = [registry];
  return {
    ...verdictInstruments(registers),
    inFlight: inFlightReviews(registry),
    requests: talliedCounter<keyof RequestLabels>(
      {
        name: `${prefix}requests_total`,
        help: "Reviews by outcome; error: the review itself could not be completed",
        labelNames: ["resource", "operation", "decision", "dry_run"],
        registers,
      },
      ({ resource, operation, decision, dry_run }) => `${resource} ${operation} ${decision} ${dry_run}`,
    ),
    duration: new Histogram<"resource" | "decision">({
      name: `${prefix}request_duration_seconds`,
      help: "Time from a review's arrival to its answer",
      labelNames: ["resource", "decision"],
      buckets: requestBuckets,
      registers,
    }),
    errors: new Counter<"code">({
      name: `${prefix}request_errors_total`,
      help: "Reviews that could not be completed, by reason code; they deny, but for bindings where no policy enforces",
      labelNames: ["code"],
      registers,
    }),
    refusals: new Counter<"status">({
      name: `${prefix}http_refusals_total`,
      help: "Requests to the webhook that were answered without a review, by HTTP status",
      labelNames: ["status"],
      registers,
    }),
    connections: new Counter<keyof ConnectionLabels>({
      name: `${prefix}connections_closed_total`,
      help: "Connections that were closed because there were too many",
      labelNames: ["port", "limit", "closed"],
      registers,
    }),
    sizes: new Histogram<"source">({
      name: `${prefix}skill_size_bytes`,
      help: "Size of the skills under review, all files together",
      labelNames: ["source"],
      buckets: sizeBuckets,
      registers,
    }),
  };
}

/** Metrics of the work below a review. */
export function workInstruments(registry: Registry) {
  const registers = [registry];
  return {
    verification: new Histogram<"format" | "outcome">({
      name: `${prefix}verification_duration_seconds`,
      help: "Time to verify one skill's signature and read its card; not from the cache",
      labelNames: ["format", "outcome"],
      buckets: verificationBuckets,
      registers,
    }),
    fetch: new Histogram<"source" | "outcome">({
      name: `${prefix}fetch_duration_seconds`,
      help: "Time to read one object that holds files of skills",
      labelNames: ["source", "outcome"],
      buckets: requestBuckets,
      registers,
    }),
    cache: talliedCounter<"cache" | "result">(
      {
        name: `${prefix}cache_requests_total`,
        help: "Look-ups in caches",
        labelNames: ["cache", "result"],
        registers,
      },
      ({ cache, result }) => `${cache} ${result}`,
    ),
    eventsDropped: new Counter<"result">({
      name: `${prefix}events_dropped_total`,
      help: "Events about denials that were not written: too many, more than can wait, or refused by the API server",
      labelNames: ["result"],
      registers,
    }),
  };
}

/** Gauges of the present state. */
export function stateInstruments(registry: Registry) {
  const registers = [registry];
  return {
    policies: new Gauge<"policy" | "mode" | "state">({
      name: `${prefix}policies`,
      help: "1 for each policy in force; broken: it cannot be used as written and denies what it governs",
      labelNames: ["policy", "mode", "state"],
      registers,
    }),
    trust: new Gauge<"root" | "kind">({
      name: `${prefix}trust_not_after_timestamp_seconds`,
      help: "When a trusted certificate authority or key, an authority's revocation list, or a policy's tolerance of unsigned skills ends",
      labelNames: ["root", "kind"],
      registers,
    }),
    mirrors: new Gauge<"root">({
      name: `${prefix}trusted_root_mirror_up`,
      help: "1 while the TUF mirror that a trusted root comes from answers as it should; 0: what it published last stays in force",
      labelNames: ["root"],
      registers,
    }),
    mirrored: new Gauge<"root">({
      name: `${prefix}trusted_root_refreshed_timestamp_seconds`,
      help: "When a trusted root was last read from its TUF mirror; 0: never",
      labelNames: ["root"],
      registers,
    }),
    certificate: new Gauge<"role">({
      name: `${prefix}webhook_certificate_not_after_timestamp_seconds`,
      help: "When the webhook's own certificate, and the authority it comes from, end",
      labelNames: ["role"],
      registers,
    }),
    ready: new Gauge({
      name: `${prefix}ready`,
      help: "1 while this replica can answer reviews, as its readiness probe says; else 0",
      registers,
    }),
    watches: new Gauge<"resource">({
      name: `${prefix}watch_up`,
      help: "1 while changes of the resource arrive; 0: what was known before stays in force",
      labelNames: ["resource"],
      registers,
    }),
    timeout: new Gauge({
      name: `${prefix}webhook_timeout_seconds`,
      help: "How long the API server waits for a review",
      registers,
    }),
    build: new Gauge<"version" | "revision">({
      name: `${prefix}build_info`,
      help: "1; what is running",
      labelNames: ["version", "revision"],
      registers,
    }),
  };
}

/** Gauges of only some installations: each metric exists once it is set. */
export function optionalInstruments(registry: Registry) {
  const registers = [registry];
  const gauge = (name: string, help: string) => {
    let made: Gauge | undefined;
    return (value: number): void =>
      (made ??= new Gauge({ name: `${prefix}${name}`, help, registers })).set(value);
  };
  const counter = (name: string, help: string) => {
    let made: Counter | undefined;
    return (more: number): void =>
      (made ??= new Counter({ name: `${prefix}${name}`, help, registers })).inc(more);
  };
  return {
    registered: gauge(
      "webhook_registered",
      "1 while the API server is told to ask this webhook, as it should be; 0: it may let everything in unasked",
    ),
    answered: gauge(
      "webhook_answered",
      "0 while the API server, asked by the leader, gets no answer of the webhook; else 1",
    ),
    repairs: counter(
      "webhook_repairs_total",
      "How often this replica has put the webhook's registration back after somebody else had changed or deleted it",
    ),
    leader: gauge(
      "leader",
      "1 on the one replica that writes status, certificates and the webhook's registration; else 0",
    ),
    breakGlass: gauge(
      "break_glass_namespaces",
      "Namespaces that the API server does not ask about because they carry the break-glass label",
    ),
    podsLeftOut: gauge(
      "pods_left_out",
      "Running pods for which no memory is left: ConfigMaps of their namespaces cannot be changed in mode Enforce",
    ),
    memoryLimit: gauge("memory_limit_bytes", "Memory that the process may take; only where there is a limit"),
  };
}
