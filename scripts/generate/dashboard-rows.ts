import type { Panel, Query, Row } from "./dashboard.ts";

/** PromQL selectors with the dashboard's variables. */
const here = 'namespace=~"$namespace"';
const tenants = `${here},tenant=~"$tenant"`;

const rate = (metric: string, more = ""): string =>
  `rate(skill_admission_${metric}{${more === "" ? here : `${here},${more}`}}[$__rate_interval])`;

const by = (labels: string, expr: string): string => `sum by (${labels}) (${expr})`;

const quantiles = (metric: string, more = ""): readonly Query[] =>
  [0.5, 0.95, 0.99].map((quantile) => ({
    expr: `histogram_quantile(${quantile}, ${by("le", rate(`${metric}_bucket`, more))})`,
    legend: `p${quantile * 100}`,
  }));

const heatmap = (metric: string): readonly Query[] => [
  {
    expr: by("le", `increase(skill_admission_${metric}_bucket{${here}}[$__rate_interval])`),
    legend: "{{le}}",
  },
];

const stat = (panel: Omit<Panel, "type" | "width" | "height">): Panel => ({
  ...panel,
  type: "stat",
  width: 4,
  height: 4,
});
const graph = (panel: Omit<Panel, "type" | "width" | "height">): Panel => ({
  ...panel,
  type: "timeseries",
  width: 8,
  height: 8,
});

const narrow = (panel: Omit<Panel, "type" | "width" | "height">): Panel => ({ ...graph(panel), width: 6 });

const day = 86_400;

const glance: Row = {
  title: "At a glance",
  panels: [
    stat({
      title: "Ready replicas",
      description:
        "Replicas that can answer reviews. 0: the API server refuses new pods where policies enforce; see SkillAdmissionDown in docs/operations.md.",
      unit: "short",
      queries: [{ expr: `sum(skill_admission_ready{${here}})`, legend: "ready" }],
      thresholds: [
        ["red", null],
        ["orange", 1],
        ["green", 2],
      ],
    }),
    stat({
      title: "Registered",
      description:
        "Is the API server told to ask the webhook, as every replica sees it. NO: what comes in may not be asked about; see SkillAdmissionNotRegistered.",
      unit: "short",
      queries: [{ expr: `min(skill_admission_webhook_registered{${here}})`, legend: "registered" }],
      thresholds: [
        ["red", null],
        ["green", 1],
      ],
      words: { "0": { text: "NO", color: "red" }, "1": { text: "yes", color: "green" } },
    }),
    stat({
      title: "Policies in force",
      description: "0: everything is admitted. Write a ClusterSkillPolicy.",
      unit: "short",
      queries: [
        {
          expr: `count(max by (policy) (skill_admission_policies{${here}})) or vector(0)`,
          legend: "policies",
        },
      ],
      thresholds: [
        ["orange", null],
        ["green", 1],
      ],
    }),
    stat({
      title: "Broken policies",
      description:
        "Policies that cannot be used as written; they find fault with every skill that they govern. kubectl get cskp says why.",
      unit: "short",
      queries: [
        {
          expr: `count(max by (policy) (skill_admission_policies{${here},state="broken"})) or vector(0)`,
          legend: "broken",
        },
      ],
      thresholds: [
        ["green", null],
        ["red", 1],
      ],
    }),
    stat({
      title: "Denials in the last hour",
      description:
        "Verdicts that denied, of the chosen tenants. Neither dry runs nor what a controller tries again count. The reasons are below.",
      unit: "short",
      queries: [
        {
          expr: `sum(increase(skill_admission_policy_results_total{${tenants},result="deny",attempt="first"}[1h]))`,
          legend: "denials",
        },
      ],
      thresholds: [
        ["green", null],
        ["orange", 1],
      ],
    }),
    stat({
      title: "Reviews that failed",
      description:
        "Share of reviews that could not be completed. Where a policy enforces, each of them denied what it was about. The codes are below; see SkillAdmissionReviewsFailing.",
      unit: "percentunit",
      queries: [
        {
          expr: `sum(${rate("request_errors_total")}) / sum(${rate("requests_total")})`,
          legend: "failed",
        },
      ],
      thresholds: [
        ["green", null],
        ["orange", 0.001],
        ["red", 0.01],
      ],
    }),
  ],
};

const decisions: Row = {
  title: "Decisions",
  panels: [
    graph({
      title: "Reviews by decision",
      description:
        "error: the review could not be completed, which denies. warn: let in although a skill does not meet a policy.",
      unit: "reqps",
      stacked: true,
      queries: [{ expr: by("decision", rate("requests_total")), legend: "{{decision}}" }],
    }),
    graph({
      title: "Denials by tenant",
      description:
        "A rise at one tenant: somebody brings in changed skills, or a policy or trust root was changed. Compare with the reasons beside. Without dry runs and retries.",
      unit: "reqps",
      queries: [
        {
          expr: by(
            "tenant",
            `rate(skill_admission_policy_results_total{${tenants},result="deny",attempt="first"}[$__rate_interval])`,
          ),
          legend: "{{tenant}}",
        },
      ],
    }),
    graph({
      title: "Findings that denied, by reason",
      description:
        "What each code means and how it is put right: docs/reasons.md. One object can have many findings.",
      unit: "reqps",
      queries: [
        {
          expr: by(
            "reason",
            `rate(skill_admission_violations_total{${tenants},enforced="true"}[$__rate_interval])`,
          ),
          legend: "{{reason}}",
        },
      ],
    }),
    graph({
      title: "Findings that did not deny, by reason",
      description:
        "What policies in Audit and Warn would deny, what is tolerated, and what was found in the makers of pods. Empty before Enforce: nothing will be denied that runs today.",
      unit: "reqps",
      queries: [
        {
          expr: by(
            "reason",
            `rate(skill_admission_violations_total{${tenants},enforced="false"}[$__rate_interval])`,
          ),
          legend: "{{reason}}",
        },
      ],
    }),
    graph({
      title: "Verdicts by policy",
      description: "What each policy said, with its mode. A policy that never appears governs nothing.",
      unit: "reqps",
      queries: [
        {
          expr: by(
            "policy, mode, result",
            `rate(skill_admission_policy_results_total{${tenants}}[$__rate_interval])`,
          ),
          legend: "{{policy}} ({{mode}}): {{result}}",
        },
      ],
    }),
    graph({
      title: "Changes of what decides",
      description:
        "Policies, trust roots and revocation lists that came, went or became others, and namespaces that came under a policy or left one. Each is in the log with its versions (docs/records.md).",
      unit: "short",
      queries: [
        {
          expr: `max by (kind, change) (increase(skill_admission_resource_changes_total{${here}}[1h]))`,
          legend: "{{kind}} {{change}}",
        },
        {
          expr: `max by (change) (increase(skill_admission_namespace_changes_total{${here}}[1h]))`,
          legend: "Namespace {{change}}",
        },
      ],
    }),
    graph({
      title: "Reviews by resource",
      description:
        "What the API server asks about. Many configmaps: something writes ConfigMaps all the time.",
      unit: "reqps",
      stacked: true,
      queries: [{ expr: by("resource", rate("requests_total")), legend: "{{resource}}" }],
    }),
  ],
};

const stored: Row = {
  title: "What is stored",
  panels: [
    graph({
      title: "Workloads that do not comply",
      description:
        "Stored workloads that do not meet a policy, as the leader finds them. Their containers may have read the skills: docs/recheck.md.",
      unit: "short",
      min: 0,
      queries: [
        {
          expr: `max by (policy, mode) (skill_admission_noncompliant_workloads{${here}})`,
          legend: "{{policy}} ({{mode}})",
        },
      ],
    }),
    graph({
      title: "Workloads that were named",
      description: "Each time that one was named, also for what was stored for a moment and is gone again.",
      unit: "short",
      min: 0,
      queries: [
        {
          expr: by(
            "policy, mode",
            `increase(skill_admission_noncompliant_workloads_named_total{${here}}[$__rate_interval])`,
          ),
          legend: "{{policy}} ({{mode}})",
        },
      ],
    }),
    graph({
      title: "Time since all was judged",
      description:
        "The leader looks at everything that is stored every ten minutes, and when policies change.",
      unit: "s",
      min: 0,
      queries: [
        {
          expr: `time() - (max(skill_admission_background_scan_last_success_timestamp_seconds{${here}}) > 0)`,
          legend: "since the last success",
        },
        {
          // There is one in ten minutes: too few for a rate.
          expr: `histogram_quantile(0.99, ${by("le", `skill_admission_background_scan_duration_seconds_bucket{${here}}`)})`,
          legend: "p99 of its duration since the start",
        },
      ],
    }),
    graph({
      title: "Pods that are not judged",
      description:
        "Stored pods that the leader has no memory left for; see SkillAdmissionRecheckPodsLeftOut.",
      unit: "short",
      min: 0,
      queries: [{ expr: `max(skill_admission_recheck_pods_left_out{${here}})`, legend: "left out" }],
    }),
  ],
};

const latency: Row = {
  title: "Latency",
  panels: [
    graph({
      title: "Review latency",
      description:
        "From a review's arrival to its answer. Above the time-out the API server denies; see SkillAdmissionReviewsSlow.",
      unit: "s",
      min: 0,
      queries: [
        ...quantiles("request_duration_seconds"),
        { expr: `max(skill_admission_webhook_timeout_seconds{${here}})`, legend: "time-out" },
      ],
    }),
    {
      title: "Review latency, all reviews",
      description:
        "Reviews by how long they took. A second band above the first: skills that were verified anew.",
      type: "heatmap",
      unit: "short",
      width: 8,
      height: 8,
      queries: heatmap("request_duration_seconds"),
    },
    graph({
      title: "Reviews in flight",
      description: "Reviews being worked on. More than 512 in one replica are turned away with 503.",
      unit: "short",
      min: 0,
      queries: [{ expr: `skill_admission_requests_in_flight{${here}}`, legend: "{{pod}} {{instance}}" }],
    }),
    graph({
      title: "Verification latency",
      description:
        "One skill's signature and card, from memory. Only skills that were not seen before are verified.",
      unit: "s",
      min: 0,
      queries: quantiles("verification_duration_seconds"),
    }),
    graph({
      title: "Verifications by outcome",
      description: "signed, tampered, untrusted, unsigned. What comes from the cache is not counted.",
      unit: "reqps",
      stacked: true,
      queries: [
        {
          expr: by("format, outcome", rate("verification_duration_seconds_count")),
          legend: "{{format}}: {{outcome}}",
        },
      ],
    }),
    graph({
      title: "Cache hits",
      description:
        "evidence: skills that were verified before. objects: ConfigMaps that did not change since they were read. Low for long: more skills are in use than fit.",
      unit: "percentunit",
      min: 0,
      max: 1,
      queries: [
        {
          expr: `${by("cache", rate("cache_requests_total", 'result="hit"'))} / ${by("cache", rate("cache_requests_total"))}`,
          legend: "{{cache}}",
        },
      ],
    }),
    graph({
      title: "Reads from the cluster, p99",
      description: "Time to read one object that holds files of skills. It is part of the review's latency.",
      unit: "s",
      min: 0,
      queries: [
        {
          expr: `histogram_quantile(0.99, ${by("source, le", rate("fetch_duration_seconds_bucket"))})`,
          legend: "{{source}}",
        },
      ],
    }),
    graph({
      title: "Reads by outcome",
      description:
        "SOURCE_UNAVAILABLE, TIMEOUT: the API server does not answer; see SkillAdmissionSourcesUnavailable. absent: the object does not exist.",
      unit: "reqps",
      stacked: true,
      queries: [
        {
          expr: by("source, outcome", rate("fetch_duration_seconds_count")),
          legend: "{{source}}: {{outcome}}",
        },
      ],
    }),
    graph({
      title: "Size of skills",
      description: "All files of a skill together, of the skills under review. More than 64 MiB is refused.",
      unit: "bytes",
      min: 0,
      queries: quantiles("skill_size_bytes"),
    }),
  ],
};

const faults: Row = {
  title: "Faults",
  panels: [
    narrow({
      title: "Failed reviews by code",
      description:
        "INTERNAL: a defect, look at the log. TIMEOUT: too slow. SOURCE_UNAVAILABLE: the API server did not answer.",
      unit: "reqps",
      queries: [{ expr: by("code", rate("request_errors_total")), legend: "{{code}}" }],
    }),
    narrow({
      title: "Refused requests by status",
      description:
        "Answered without a review. 503: too many at once, run more replicas. 400, 415: somebody else than the API server calls, restrict who may. connections: closed because one address, or all, had too many; the log says whose.",
      unit: "reqps",
      queries: [
        { expr: by("status", rate("http_refusals_total")), legend: "{{status}}" },
        {
          expr: by("port, limit", rate("connections_closed_total")),
          legend: "connections, {{port}}, {{limit}}",
        },
      ],
    }),
    narrow({
      title: "Events that were not written, by cause",
      description:
        "rate_limited, queue_full: many denials at once, and no harm; the log has them all. refused: the right to write Events is missing.",
      unit: "reqps",
      queries: [{ expr: by("result", rate("events_dropped_total")), legend: "{{result}}" }],
    }),
    {
      title: "Watches",
      description:
        "Red: changes of the resource do not arrive at a replica, which goes on with what it knew; see SkillAdmissionWatchDown.",
      type: "state-timeline",
      unit: "short",
      width: 6,
      height: 8,
      queries: [{ expr: `min by (resource) (skill_admission_watch_up{${here}})`, legend: "{{resource}}" }],
      thresholds: [
        ["red", null],
        ["green", 1],
      ],
      words: { "0": { text: "down", color: "red" }, "1": { text: "up", color: "green" } },
    },
  ],
};

const expiry: Row = {
  title: "Trust and certificates",
  panels: [
    {
      title: "Trusted authorities: time left",
      description:
        "When it is over, skills signed by the key, under the authority or under that of the revocation list (crl) are denied. Put its successor into the SkillTrustRoot beside it, in time.",
      type: "bargauge",
      unit: "s",
      width: 12,
      height: 8,
      min: 0,
      max: 365 * day,
      queries: [
        {
          expr: `sort(min by (root, kind) (skill_admission_trust_not_after_timestamp_seconds{${here}}) - time() > 0 or min by (root, kind) (skill_admission_trust_not_after_timestamp_seconds{${here},kind!="unsigned"}) - time())`,
          legend: "{{root}} ({{kind}})",
        },
      ],
      thresholds: [
        ["red", null],
        ["orange", 7 * day],
        ["yellow", 30 * day],
        ["green", 90 * day],
      ],
    },
    {
      title: "The webhook's own certificates: time left",
      description:
        "serving: renewed with ten days left. authority: renewed with four months left. Less: see SkillAdmissionCertificateExpiring.",
      type: "bargauge",
      unit: "s",
      width: 12,
      height: 8,
      min: 0,
      max: 365 * day,
      queries: [
        {
          expr: `min by (role) (skill_admission_webhook_certificate_not_after_timestamp_seconds{${here}}) - time()`,
          legend: "{{role}}",
        },
      ],
      thresholds: [
        ["red", null],
        ["orange", day],
        ["yellow", 7 * day],
        ["green", 10 * day],
      ],
    },
    {
      title: "Trusted roots from TUF mirrors: time since they were read",
      description:
        "Empty where no trust root has a mirror. Each is asked every hour; what was read last stays in force while one does not answer. 24 hours: see SkillAdmissionTrustedRootStale.",
      type: "bargauge",
      unit: "s",
      width: 24,
      height: 5,
      min: 0,
      max: 2 * day,
      queries: [
        {
          expr: `sort_desc(time() - min by (root) (skill_admission_trusted_root_refreshed_timestamp_seconds{${here}} > 0))`,
          legend: "{{root}}",
        },
        {
          expr: `max by (root) (skill_admission_trusted_root_refreshed_timestamp_seconds{${here}} == 0) + ${2 * day}`,
          legend: "{{root}} (never)",
        },
      ],
      thresholds: [
        ["green", null],
        ["yellow", 2 * 3_600],
        ["orange", 12 * 3_600],
        ["red", day],
      ],
    },
  ],
};

const ofProcess = (metric: string): string => `${metric}{${here}} and skill_admission_ready{${here}}`;

const replicas: Row = {
  title: "Replicas",
  panels: [
    {
      title: "What runs",
      description: "Version and revision of each replica. Two versions for long: an upgrade that hangs.",
      type: "table",
      unit: "short",
      width: 8,
      height: 8,
      queries: [{ expr: `skill_admission_build_info{${here}}`, legend: "" }],
      hidden: ["__name__", "job", "endpoint", "service", "container"],
    },
    graph({
      title: "Memory",
      description: "Resident memory of each replica, and its limit where there is one.",
      unit: "bytes",
      min: 0,
      queries: [
        { expr: ofProcess("process_resident_memory_bytes"), legend: "{{pod}} {{instance}}" },
        { expr: `min(skill_admission_memory_limit_bytes{${here}})`, legend: "limit" },
      ],
    }),
    graph({
      title: "Processor",
      description: "Processors in use by each replica. One replica uses hardly more than one.",
      unit: "short",
      min: 0,
      queries: [
        {
          expr: `rate(process_cpu_seconds_total{${here}}[$__rate_interval]) and skill_admission_ready{${here}}`,
          legend: "{{pod}} {{instance}}",
        },
      ],
    }),
    graph({
      title: "Event loop lag, p99",
      description: "How long work waits for the one before. Above 0.1 s for long: run more replicas.",
      unit: "s",
      min: 0,
      queries: [{ expr: ofProcess("nodejs_eventloop_lag_p99_seconds"), legend: "{{pod}} {{instance}}" }],
    }),
    graph({
      title: "Starts in the last half hour",
      description:
        "More than two: a replica keeps restarting; look at its previous log (kubectl logs --previous).",
      unit: "short",
      min: 0,
      queries: [
        {
          expr: `changes(process_start_time_seconds{${here}}[30m]) and skill_admission_ready{${here}}`,
          legend: "{{pod}} {{instance}}",
        },
      ],
    }),
    graph({
      title: "Leader",
      description:
        "1 for the replica that writes status, certificates and the registration. One line at 1 is right.",
      unit: "short",
      min: 0,
      max: 1,
      queries: [{ expr: `skill_admission_leader{${here}}`, legend: "{{pod}} {{instance}}" }],
    }),
  ],
};

export const rows: readonly Row[] = [glance, decisions, stored, latency, faults, expiry, replicas];
