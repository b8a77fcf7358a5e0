import type { Registry } from "prom-client";

import type { Policy } from "../policy/policy.ts";
import type { TrustExpiry } from "../policy/trust/expiry.ts";
import { optionalInstruments, stateInstruments } from "./instruments.ts";
import { boundedNames, type CertificateRole, type PolicyState, type TrustExpiryKind } from "./labels.ts";

/** What is told of a policy in force. */
export type PolicyInForce = Pick<Policy, "name" | "tenant" | "mode" | "invalidReason">;

/** How the mirror stands that an entry of a trust root comes from. */
export interface MirrorInUse {
  /** `trust-root/entry`. */
  readonly name: string;
  readonly up: boolean;
  /** Milliseconds since 1970; absent where it never succeeded. */
  readonly lastSuccess?: number;
}

/** What is asked anew at every scrape. Must be cheap, and not throw. */
export interface Probes {
  /** Can reviews be answered. */
  readonly ready: () => boolean;
  /** Does this replica do what only one may do at a time; absent where no Lease decides that. */
  readonly leads?: () => boolean;
  /** Is the API server told to ask here; absent where there is none. */
  readonly registered?: () => boolean;
}

/** What is so at present. */
export interface StateMetrics {
  /** Replaces the policies in force. */
  setPolicies(policies: readonly PolicyInForce[]): void;
  /** Replaces the ends of what is trusted; only of what nothing counts by afterwards. */
  setTrust(ends: readonly TrustExpiry[]): void;
  /** Replaces how mirrors stand. */
  setMirrors(mirrors: readonly MirrorInUse[]): void;
  /** @param notAfter milliseconds since 1970 */
  setCertificate(role: CertificateRole, notAfter: number): void;
  /** Do changes of a watched resource arrive. */
  setWatch(resource: string, up: boolean): void;
  /** How many namespaces are not asked about for a break-glass label. */
  setBreakGlass(namespaces: number): void;
  /** The webhook's registration, which somebody else had changed, has been put back. */
  observeRepair(): void;
  /** What the process runs within: seconds that callers wait, bytes of memory (undefined: no limit). */
  setLimits(limits: { readonly timeoutSeconds: number; readonly memory: number | undefined }): void;
  setProbes(probes: Probes): void;
}

/** The earliest end of what goes by one name and is of one kind, seconds. */
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

/** Gauges on a registry. `refresh` asks the probes, before every reading. */
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
      // Begins to count at 0: the first repair would otherwise be no increase to Prometheus.
      optional.repairs(0);
    },
  };
}
