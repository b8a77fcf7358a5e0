import type { Registry } from "prom-client";

import type { Policy } from "../policy/policy.ts";
import type { TrustExpiry } from "../policy/trust/expiry.ts";
import { optionalInstruments, stateInstruments } from "./instruments.ts";
import { boundedNames, type CertificateRole, type PolicyState, type TrustExpiryKind } from "./labels.ts";

/** A policy in force, with the fields that become labels. */
export type PolicyInForce = Pick<Policy, "name" | "tenant" | "mode" | "invalidReason">;

/** State of the mirror that supplies an entry of a trust root. */
export interface MirrorInUse {
  /** `trust-root/entry`. */
  readonly name: string;
  readonly up: boolean;
  /** Milliseconds since 1970; absent where it never succeeded. */
  readonly lastSuccess?: number;
}

/** Functions that each scrape calls: cheap, and never throw. */
export interface Probes {
  /** True while reviews can be answered. */
  readonly ready: () => boolean;
  /** True while this replica leads; absent without a Lease. */
  readonly leads?: () => boolean;
  /** True while the webhook is registered; absent without a cluster. */
  readonly registered?: () => boolean;
}

/** Gauges of the present state. */
export interface StateMetrics {
  /** Replaces the policies in force. */
  setPolicies(policies: readonly PolicyInForce[]): void;
  /** Replaces the ends of trust, except those after which earlier signatures still verify. */
  setTrust(ends: readonly TrustExpiry[]): void;
  /** Replaces the states of mirrors. */
  setMirrors(mirrors: readonly MirrorInUse[]): void;
  /** @param notAfter milliseconds since 1970 */
  setCertificate(role: CertificateRole, notAfter: number): void;
  /** True while changes of a watched resource arrive. */
  setWatch(resource: string, up: boolean): void;
  /** Number of namespaces with the break-glass label, which are not reviewed. */
  setBreakGlass(namespaces: number): void;
  /** Number of running pods for which there is no memory left. */
  setPodsLeftOut(pods: number): void;
  /** Whether the API server gets an answer of the webhook, as far as is known. */
  setAnswered(answered: boolean): void;
  /** Counts a restored registration, which somebody else had changed. */
  observeRepair(): void;
  /** Limits of the process: time-out of a review in seconds, memory in bytes (undefined: no limit). */
  setLimits(limits: { readonly timeoutSeconds: number; readonly memory: number | undefined }): void;
  setProbes(probes: Probes): void;
}

/** The earliest end for each name and kind, seconds since 1970. */
function endsOf(
  all: readonly TrustExpiry[],
  bounded: (name: string) => string,
): readonly { readonly root: string; readonly kind: TrustExpiryKind; readonly end: number }[] {
  const ends = new Map<string, { root: string; kind: TrustExpiryKind; end: number }>();
  for (const { name, notAfter, kind } of all) {
    if (kind === "verifiable-after") continue;
    const root = bounded(name);
    const key = `${kind} ${root}`;
    ends.set(key, { root, kind, end: Math.min(notAfter / 1000, ends.get(key)?.end ?? Infinity) });
  }
  return [...ends.values()];
}

/** Gauges on a registry. `refresh` calls the probes before every scrape. */
export function stateMetrics(
  registry: Registry,
  build: { readonly version: string; readonly revision: string },
): { readonly metrics: StateMetrics; refresh(): void } {
  const state = stateInstruments(registry);
  const optional = optionalInstruments(registry);
  state.build.set({ ...build }, 1);
  let probes: Probes = { ready: () => false };
  const metrics: StateMetrics = {
    setPolicies(policies) {
      const bounded = boundedNames();
      state.policies.reset();
      for (const { name, mode, invalidReason } of policies) {
        const label: PolicyState = invalidReason === undefined ? "ready" : "broken";
        state.policies.set({ policy: bounded(name), mode, state: label }, 1);
      }
    },
    setTrust(all) {
      state.trust.reset();
      for (const { root, kind, end } of endsOf(all, boundedNames())) state.trust.set({ root, kind }, end);
    },
    setMirrors(mirrors) {
      const bounded = boundedNames();
      state.mirrors.reset();
      state.mirrored.reset();
      for (const { name, up, lastSuccess = 0 } of mirrors) {
        const root = bounded(name);
        state.mirrors.set({ root }, up ? 1 : 0);
        state.mirrored.set({ root }, lastSuccess / 1000);
      }
    },
    setCertificate: (role, notAfter) => state.certificate.set({ role }, notAfter / 1000),
    setWatch: (resource, up) => state.watches.set({ resource }, up ? 1 : 0),
    setBreakGlass: (namespaces) => optional.breakGlass(namespaces),
    setPodsLeftOut: (pods) => optional.podsLeftOut(pods),
    setAnswered: (answered) => optional.answered(answered ? 1 : 0),
    observeRepair: () => optional.repairs(1),
    setLimits({ timeoutSeconds, memory }) {
      state.timeout.set(timeoutSeconds);
      if (memory !== undefined) optional.memoryLimit(memory);
    },
    setProbes: (given) => (probes = given),
  };
  return {
    metrics,
    refresh() {
      state.ready.set(probes.ready() ? 1 : 0);
      if (probes.leads !== undefined) optional.leader(probes.leads() ? 1 : 0);
      if (probes.registered === undefined) return;
      optional.registered(probes.registered() ? 1 : 0);
      // Starts at 0: Prometheus sees no increase in a counter that appears with its first repair.
      optional.repairs(0);
    },
  };
}
