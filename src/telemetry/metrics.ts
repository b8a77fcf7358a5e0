import { collectDefaultMetrics, Registry } from "prom-client";

import type { Decision } from "../admission/decision.ts";
import type { SkillResult, Verdict } from "../policy/finding.ts";
import type { SourceKind } from "../skill/reference.ts";
import { skillSize } from "../skill/skill.ts";
import { reviewInstruments, workInstruments } from "./instruments.ts";
import {
  boundedNames,
  type Attempt,
  connectionLimitNames,
  connectionPorts,
  connectionsClosed,
  errorCodes,
  eventsDropped,
  refusalStatus,
  refusalStatuses,
  type CacheName,
  type CacheOutcome,
  type ConnectionLabels,
  type EventDropped,
  type DecisionLabel,
  type FetchOutcome,
  type FetchSource,
  type FormatLabel,
  type RequestLabels,
  type ResultLabels,
  type VerificationOutcome,
  type ViolationLabels,
  yesNo,
} from "./labels.ts";
import { changeMetrics, type ChangeMetrics } from "./change-metrics.ts";
import { recheckMetrics, type RecheckMetrics } from "./recheck.ts";
import { namespaceDenials, RecentRefusals } from "./refusal-metrics.ts";
import { stateMetrics, type PolicyInForce, type StateMetrics } from "./state.ts";

/** Labels of `build_info`. */
export interface BuildInfo {
  readonly version: string;
  readonly revision: string;
}

export interface MetricsOptions extends BuildInfo {
  /** Different namespaces that become labels of denials; default 0: none does. */
  readonly namespaces?: number;
  /** Milliseconds of a clock that only goes forward. */
  readonly now?: () => number;
}

/** All metrics. Each call costs microseconds and never throws. */
export interface Metrics extends StateMetrics, RecheckMetrics, ChangeMetrics {
  /** Counts one decision with its verdicts, findings and the sizes of its skills. */
  observeDecision(decision: Decision, seconds: number): void;
  /**
   * Counts a request that was answered without a review.
   * @param status of HTTP
   */
  observeRefusal(status: number): void;
  /** Counts a connection that was closed above a limit. */
  observeConnectionClosed(labels: ConnectionLabels): void;
  /** Counts a review in flight until the returned function is called. */
  startRequest(): () => void;
  observeVerification(seconds: number, format: FormatLabel, outcome: VerificationOutcome): void;
  observeFetch(seconds: number, source: FetchSource, outcome: FetchOutcome): void;
  observeCache(cache: CacheName, result: CacheOutcome): void;
  /** Counts an Event that was not written. */
  observeEventDropped(result: EventDropped): void;
  /** Metrics in the text format of Prometheus. */
  read(): Promise<{ readonly contentType: string; readonly body: string }>;
}

type ReviewInstruments = ReturnType<typeof reviewInstruments>;

/** Source label of a skill: that of its outermost mount. */
const sourceOf = ({ reference }: SkillResult): SourceKind => reference.sources[0]?.kind ?? "Other";

function observeSizes({ sizes }: ReviewInstruments, [first]: readonly Verdict[]): void {
  // All verdicts of a decision are about the same skills.
  for (const result of first?.skills ?? []) {
    const { content } = result.reference;
    if (content.state === "resolved") sizes.observe({ source: sourceOf(result) }, skillSize(content.skill));
  }
}

/** Possible results of a policy by mode. */
const resultsOf = { Enforce: ["allow", "warn", "deny"], Warn: ["allow", "warn"], Audit: ["allow"] } as const;

function verdictObserver({ results, violations }: ReviewInstruments) {
  const policyName = boundedNames();
  const tenantName = boundedNames();
  return {
    observe: (verdicts: readonly Verdict[], attempt: Attempt): void => {
      for (const { policy: name, tenant: of, mode, outcome, skills } of verdicts) {
        const [policy, tenant] = [policyName(name), tenantName(of)];
        results.inc({ policy, tenant, mode, result: outcome, attempt } satisfies ResultLabels);
        for (const { code, tolerated } of skills.flatMap(({ findings }) => findings)) {
          const enforced = yesNo(outcome === "deny" && !tolerated);
          violations.inc({ policy, tenant, reason: code, enforced } satisfies ViolationLabels);
        }
      }
    },
    /** Starts counters at 0: Prometheus sees no increase in a counter that appears with its first denial. */
    expect: (policies: readonly PolicyInForce[]): void => {
      for (const { name, tenant: of, mode } of policies) {
        const [policy, tenant] = [policyName(name), tenantName(of)];
        for (const result of resultsOf[mode])
          results.inc({ policy, tenant, mode, result, attempt: "first" } satisfies ResultLabels, 0);
      }
    },
  };
}

/** Starts counters of rare events at 0, so that Prometheus sees the first as an increase. */
function beginAtZero(
  { connections, errors, refusals, requests }: ReviewInstruments,
  work: ReturnType<typeof workInstruments>,
): void {
  for (const decision of ["allow", "warn", "deny", "error"] satisfies DecisionLabel[]) {
    const labels: RequestLabels = { resource: "pods", operation: "CREATE", decision, dry_run: "false" };
    requests.inc({ ...labels }, 0);
  }
  for (const code of errorCodes) errors.inc({ code }, 0);
  for (const status of refusalStatuses) refusals.inc({ status }, 0);
  for (const port of connectionPorts)
    for (const limit of connectionLimitNames)
      for (const closed of connectionsClosed) connections.inc({ port, limit, closed }, 0);
  for (const outcome of ["found", "SOURCE_UNAVAILABLE", "TIMEOUT"] satisfies FetchOutcome[])
    work.fetch.zero({ source: "ConfigMap", outcome });
  for (const result of eventsDropped) work.eventsDropped.inc({ result }, 0);
}

/** Metrics on a registry of their own, with those of the process and of Node. */
export function createMetrics({ version, revision, namespaces = 0, now }: MetricsOptions): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const review = reviewInstruments(registry);
  const work = workInstruments(registry);
  const verdicts = verdictObserver(review);
  const refusals = new RecentRefusals(now);
  const countDenial = namespaceDenials(registry, namespaces);
  const recheck = recheckMetrics(registry);
  const state = stateMetrics(registry, { version, revision });
  beginAtZero(review, work);
  return {
    ...state.metrics,
    ...recheck.metrics,
    ...changeMetrics(registry),
    setPolicies(policies) {
      state.metrics.setPolicies(policies);
      verdicts.expect(policies);
      recheck.expect(policies);
    },
    observeDecision(decision, seconds) {
      const { subject, outcome } = decision;
      const { resource } = subject;
      review.requests.inc({
        resource,
        operation: subject.operation,
        decision: outcome,
        dry_run: yesNo(subject.dryRun),
      } satisfies RequestLabels);
      review.duration.observe({ resource, decision: outcome }, seconds);
      if (decision.outcome === "error") review.errors.inc({ code: decision.code });
      if (!("verdicts" in decision)) return;
      const attempt = refusals.attemptOf(decision);
      verdicts.observe(decision.verdicts, attempt);
      countDenial(decision, attempt);
      observeSizes(review, decision.verdicts);
    },
    observeRefusal: (status) => review.refusals.inc({ status: refusalStatus(status) }),
    observeConnectionClosed: ({ port, limit, closed }) => review.connections.inc({ port, limit, closed }),
    startRequest() {
      review.inFlight.begin();
      let open = true;
      return () => {
        if (open) review.inFlight.end();
        open = false;
      };
    },
    observeVerification: (seconds, format, outcome) =>
      work.verification.observe({ format, outcome }, seconds),
    observeFetch: (seconds, source, outcome) => work.fetch.observe({ source, outcome }, seconds),
    observeCache: (cache, result) => work.cache.inc({ cache, result }),
    observeEventDropped: (result) => work.eventsDropped.inc({ result }),
    async read() {
      state.refresh();
      return { contentType: registry.contentType, body: await registry.metrics() };
    },
  };
}
