import { Registry } from "prom-client";
import { reviewedResources } from "../../src/admission/decision.ts";
import { reasons } from "../../src/policy/reason.ts";
import { formats } from "../../src/signature/formats.ts";
import { podSourceKinds } from "../../src/skill/reference.ts";
import {
  optionalInstruments,
  reviewInstruments,
  stateInstruments,
  workInstruments,
} from "../../src/telemetry/instruments.ts";
import { changedKinds, changeInstruments, namespaceChangeWords } from "../../src/telemetry/change-metrics.ts";
import { resourceChangeWords } from "../../src/policy/changes/resource-changes.ts";
import { namespaceInstrument } from "../../src/telemetry/refusal-metrics.ts";
import { recheckInstruments } from "../../src/telemetry/recheck-instruments.ts";
import { connectionPorts, errorCodes, maxNames, refusalStatuses } from "../../src/telemetry/labels.ts";

/** One metric as the program declares it. */
export interface Metric {
  readonly name: string;
  readonly type: string;
  readonly help: string;
  readonly labels: readonly string[];
  /** Upper bounds of a histogram's buckets. */
  readonly buckets: readonly number[];
}

interface Section {
  readonly title: string;
  readonly about: string;
  readonly metrics: readonly Metric[];
}

const isTexts = (value: unknown): value is readonly string[] =>
  Array.isArray(value) && value.every((one) => typeof one === "string");

const isNumbers = (value: unknown): value is readonly number[] =>
  Array.isArray(value) && value.every((one) => typeof one === "number");

/** Metrics that a function registers. The library keeps labels and buckets in untyped fields. */
function declared(make: (registry: Registry) => unknown): readonly Metric[] {
  const registry = new Registry();
  make(registry);
  return registry.getMetricsAsArray().map((metric) => {
    const labels: unknown = Reflect.get(metric, "labelNames");
    const buckets: unknown = Reflect.get(metric, "buckets");
    const { name, help } = metric;
    return {
      name,
      help,
      type: metric.constructor.name.toLowerCase(),
      labels: isTexts(labels) ? labels.filter((label) => label !== "le") : [],
      buckets: isNumbers(buckets) ? buckets : [],
    };
  });
}

const sections: readonly Section[] = [
  { title: "Reviews", about: "Counters and latencies of reviews.", metrics: declared(reviewInstruments) },
  {
    title: "Cost of reviews",
    about: "Where reviews spend their time: sources, verification, caches.",
    metrics: declared(workInstruments),
  },
  {
    title: "What is stored",
    about: "What the leader finds when it judges once more what is stored ([recheck.md](recheck.md)).",
    metrics: declared(recheckInstruments),
  },
  {
    title: "Changes",
    about: "What changes of all that decides ([records.md](records.md)).",
    metrics: declared(changeInstruments),
  },
  { title: "State", about: "The present state, as gauges.", metrics: declared(stateInstruments) },
  {
    title: "Conditional state",
    about: "Absent where there is no cluster to register with, no Lease to lead by, or no limit.",
    metrics: declared((registry) => {
      // These register themselves when they are set.
      for (const set of Object.values(optionalInstruments(registry))) set(0);
    }),
  },
  {
    title: "Denials by namespace",
    about:
      "Namespaces are many, and whoever makes some makes labels: none is one unless `--metrics-namespaces=100` (Helm: `extraArgs`) says how many may be. Without it, `tenant` tells whose denials they are.",
    metrics: declared(namespaceInstrument),
  },
];

/** All of the program's own metrics. */
export const metrics: readonly Metric[] = sections.flatMap((section) => section.metrics);

const codes = (values: readonly string[]): string => values.map((value) => `\`${value}\``).join(" ");

/** Meaning of each label; a missing line fails the generation. */
const labelMeanings: Readonly<Record<string, string>> = {
  resource: `What was under review: ${codes(reviewedResources)}. Of \`watch_up\`: the resource that is watched`,
  operation: codes(["CREATE", "UPDATE", "DELETE", "CONNECT"]),
  decision:
    "`allow`, `warn` (let in with a warning), `deny`, `error` (the review could not be completed, which denies)",
  dry_run: "`true` where nothing would have been stored",
  policy: `A ClusterSkillPolicy, or \`SkillRevocationList/NAME\` for a list with \`enforcement: Always\`. At most ${maxNames} different ones in one process; those after them are \`(other)\``,
  tenant: "`spec.tenant` of the policy, by default its name; bounded in the same way",
  mode: codes(["Enforce", "Warn", "Audit"]),
  result:
    "Of `policy_results_total`: `allow` `warn` `deny`. Of `cache_requests_total`: `hit` `miss` `expired`. Of `events_dropped_total`: `rate_limited`, `queue_full`, `refused` (by the API server)",
  attempt:
    "`first`; `repeated`: the same was refused within the hour, by this replica, as when a controller tries again; `dry_run`: nothing would have been stored",
  object_namespace:
    "The namespace of what was denied; as many different ones as `--metrics-namespaces` says, those after them are `(other)`",
  code: codes(errorCodes),
  status: codes(refusalStatuses),
  port: codes(connectionPorts),
  limit: "`client`: of connections from one address (of IPv6, one /64); `total`: of all connections",
  closed:
    "`oldest`: one that waited for its client made room for a new one; `newest`: the new one, where there was no such",
  reason: `Reason code, see [reasons.md](reasons.md): ${codes(reasons)}`,
  enforced: "`true` where the object was denied for it",
  source: `Where the files come from: ${codes(podSourceKinds)}. Of \`fetch_duration_seconds\`: the kind of object that is read`,
  format: `Format of the signature: ${formats.map(({ name, title }) => `\`${name}\` (${title})`).join(", ")}; \`none\` where there is no signature`,
  outcome:
    "Of verifications: `signed` `tampered` `untrusted` `unsigned`. Of reads: `found` `absent`, or the code of what failed",
  cache: "`evidence`: what was established about a skill; `objects`: ConfigMaps that were read before",
  state: "`ready`, or `broken`: it cannot be used as written",
  root: "`trust-root/entry`, or the name of a policy's publisher that brings its own certificate",
  name: "Of the resource that changed; bounded as `policy` is. Empty for `Trust`",
  change: `Of \`resource_changes_total\`: ${codes(resourceChangeWords)} (changed so that less is demanded, as by Audit after Enforce). Of \`namespace_changes_total\`: ${codes(namespaceChangeWords)} (by the break-glass label, and back)`,
  kind: `Of \`resource_changes_total\`: ${codes(changedKinds)} (all certificates, keys and trusted roots in force). Of \`trust_not_after_timestamp_seconds\`: \`authority\`: a certificate; \`key\`: a signer's; \`crl\`: an authority's revocation list, by its nextUpdate; \`unsigned\`: a policy's \`unsigned.until\`, as \`ClusterSkillPolicy/NAME/unsigned.until\``,
  role: "`serving`: the certificate that the API server sees; `authority`: the one that it comes from; `clients`: the authority of `--client-ca-file` that ends last",
  version: "Version of the program",
  revision: "Commit that it was built from; `unknown` where the build did not say",
};

function meaningOf(label: string): string {
  const meaning = labelMeanings[label];
  if (meaning === undefined)
    throw new Error(`scripts/generate/metrics.ts says nothing of the label ${label}`);
  return meaning;
}

const cell = (text: string): string => text.replaceAll("|", "\\|");

const row = ({ name, type, labels, help, buckets }: Metric): string => {
  const bounds = buckets.length === 0 ? "" : `. Buckets: ${buckets.join(" ")}`;
  return `| \`${name}\` | ${type} | ${labels.map((label) => `\`${label}\``).join(" ")} | ${cell(help)}${bounds} |`;
};

/** The page docs/metrics.md, in Markdown. */
export function metricsPage(): string {
  const labels = [...new Set(metrics.flatMap((metric) => metric.labels))].sort();
  return [
    "<!-- Generated from src/telemetry/instruments.ts by `npm run generate`; changes here are lost. -->",
    "",
    "# Metrics",
    "",
    "`GET /metrics` on the metrics port (`--metrics-port`, 9090), plain HTTP, in the text format of Prometheus. Seconds and bytes throughout. Every label has a",
    "closed set of values or a bound; names of skills, objects and users, and digests, never become labels: those are in the log.",
    "",
    "Dashboard: [charts/skill-admission/files/dashboards/skill-admission.json](../charts/skill-admission/files/dashboards/skill-admission.json),",
    "for Grafana 10 and later. Alerts: [charts/skill-admission/rules/alerts.yaml](../charts/skill-admission/rules/alerts.yaml), with a runbook in [operations.md](operations.md).",
    "",
    "Counters of what is rare, and the results of every policy in force, begin at 0, so that the first time is an increase.",
    "",
    ...sections.flatMap(({ title, about, metrics: of }) => [
      `## ${title}`,
      "",
      about,
      "",
      "| name | type | labels | |",
      "| --- | --- | --- | --- |",
      ...of.map(row),
      "",
    ]),
    "## Labels",
    "",
    "| label | values |",
    "| --- | --- |",
    ...labels.map((label) => `| \`${label}\` | ${cell(meaningOf(label))} |`),
    "",
    "## Process metrics",
    "",
    "Beside these, the metrics of the process and of Node that `prom-client` exports: `process_resident_memory_bytes`, `process_cpu_seconds_total`,",
    "`process_start_time_seconds`, `nodejs_eventloop_lag_p99_seconds`, `nodejs_heap_size_used_bytes` and others.",
    "",
  ].join("\n");
}
