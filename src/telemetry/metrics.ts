import { collectDefaultMetrics, Registry } from "prom-client";

import type { Decision } from "../admission/decision.ts";
import type { SkillResult, Verdict } from "../policy/finding.ts";
import type { Policy } from "../policy/policy.ts";
import type { TrustMaterial } from "../signature/trust-material.ts";
import type { SourceKind } from "../skill/reference.ts";
import { skillSize } from "../skill/skill.ts";
import {
  reviewInstruments,
  stateInstruments,
  workInstruments,
  yesNo,
  type RequestLabels,
  type ResultLabels,
  type ViolationLabels,
} from "./instruments.ts";
import {
  boundedNames,
  type CacheName,
  type CacheOutcome,
  type Cause,
  type CertificateRole,
  type FetchOutcome,
  type FetchSource,
  type FormatLabel,
  type PolicyState,
  type VerificationOutcome,
} from "./labels.ts";

/** What is running, for `build_info`. */
export interface BuildInfo {
  readonly version: string;
  readonly revision: string;
}

/** Everything that is measured. Each function costs microseconds and never throws. */
export interface Metrics {
  /** Counts one decision with its verdicts, findings and the sizes of its skills. */
  observeDecision(decision: Decision, seconds: number): void;
  /** Counts verdicts that no review asked for. */
  observeVerdicts(verdicts: readonly Verdict[], cause: Cause): void;
  /** A review has come in; call what is returned when its answer is out. */
  startRequest(): () => void;
  observeVerification(seconds: number, format: FormatLabel, outcome: VerificationOutcome): void;
  observeFetch(seconds: number, source: FetchSource, outcome: FetchOutcome): void;
  observeCache(cache: CacheName, result: CacheOutcome): void;
  /** Replaces the policies in force. */
  setPolicies(policies: readonly Pick<Policy, "name" | "mode" | "broken">[]): void;
  /** Replaces the trust in force: the end of each certificate authority. Keys have none. */
  setTrust(trust: TrustMaterial): void;
  /** @param notAfter milliseconds since 1970 */
  setCertificate(role: CertificateRole, notAfter: number): void;
  /** The text format of Prometheus. */
  read(): Promise<{ readonly contentType: string; readonly body: string }>;
}

type ReviewInstruments = ReturnType<typeof reviewInstruments>;

/** Kinds of source of a skill, as one word: that of its outermost mount. */
const sourceOf = ({ reference }: SkillResult): SourceKind => reference.sources[0]?.kind ?? "Other";

function observeSizes({ sizes }: ReviewInstruments, [first]: readonly Verdict[]): void {
  // Every verdict of a decision is about the same skills.
  for (const result of first?.skills ?? []) {
    const { content } = result.reference;
    if (content.state === "resolved") sizes.observe({ source: sourceOf(result) }, skillSize(content.skill));
  }
}

function verdictObserver({ results, violations }: ReviewInstruments) {
  const policyName = boundedNames();
  const tenantName = boundedNames();
  return (verdicts: readonly Verdict[], cause: Cause): void => {
    for (const { policy, tenant, mode, outcome, skills } of verdicts) {
      const name = policyName(policy);
      results.inc({ policy: name, mode, result: outcome, cause } satisfies ResultLabels);
      for (const { findings } of skills) {
        for (const { code, tolerated } of findings) {
          const enforced = yesNo(outcome === "deny" && !tolerated);
          violations.inc({
            policy: name,
            tenant: tenantName(tenant),
            reason: code,
            enforced,
          } satisfies ViolationLabels);
        }
      }
    }
  };
}

/** The earliest end among the certificates that go by one name, seconds. */
function endsOf({ anchors }: TrustMaterial, bounded: (name: string) => string): ReadonlyMap<string, number> {
  const ends = new Map<string, number>();
  for (const { names, certificate } of anchors) {
    const end = certificate.validToDate.getTime() / 1000;
    for (const name of names.map(bounded)) ends.set(name, Math.min(end, ends.get(name) ?? Infinity));
  }
  return ends;
}

/** Metrics on a registry of their own, with those of the process and of Node. */
export function createMetrics({ version, revision }: BuildInfo): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const review = reviewInstruments(registry);
  const work = workInstruments(registry);
  const state = stateInstruments(registry);
  state.build.set({ version, revision }, 1);
  const observeVerdicts = verdictObserver(review);
  return {
    observeVerdicts,
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
      if (!("verdicts" in decision)) return;
      observeVerdicts(decision.verdicts, "admission");
      observeSizes(review, decision.verdicts);
    },
    startRequest() {
      review.inFlight.inc();
      let open = true;
      return () => {
        if (open) review.inFlight.dec();
        open = false;
      };
    },
    observeVerification: (seconds, format, outcome) =>
      work.verification.observe({ format, outcome }, seconds),
    observeFetch: (seconds, source, outcome) => work.fetch.observe({ source, outcome }, seconds),
    observeCache: (cache, result) => work.cache.inc({ cache, result }),
    setPolicies(policies) {
      const bounded = boundedNames();
      state.policies.reset();
      for (const { name, mode, broken } of policies) {
        const label: PolicyState = broken === undefined ? "ready" : "broken";
        state.policies.set({ policy: bounded(name), mode, state: label }, 1);
      }
    },
    setTrust(trust) {
      state.trust.reset();
      for (const [root, end] of endsOf(trust, boundedNames())) state.trust.set({ root }, end);
    },
    setCertificate: (role, notAfter) => state.certificate.set({ role }, notAfter / 1000),
    read: async () => ({ contentType: registry.contentType, body: await registry.metrics() }),
  };
}
