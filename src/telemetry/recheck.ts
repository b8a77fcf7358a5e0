import type { Registry } from "prom-client";
import type { Mode } from "../policy/finding.ts";
import { recheckInstruments } from "./recheck-instruments.ts";
import { boundedNames } from "./labels.ts";

/** How many workloads do not meet a policy. */
export interface WorkloadsShort {
  readonly policy: string;
  readonly mode: Mode;
  readonly workloads: number;
}

/** Metrics of what is stored, which the leader judges once more. */
export interface RecheckMetrics {
  /** Replaces how many workloads do not meet each policy; none while another replica leads. */
  setNoncompliant(standings: readonly WorkloadsShort[]): void;
  /** The process leads from now on: until it has looked at all that is stored, it says so. */
  expectScan(): void;
  /**
   * A look at all that is stored came to its end.
   * @param success when, milliseconds since 1970, if all could be read
   */
  observeScan(seconds: number, success: number | undefined): void;
  /** Number of stored pods that there is no memory left for; undefined while another replica leads. */
  setRecheckLeftOut(pods: number | undefined): void;
  /** Counts a workload that was named for not meeting a policy. */
  observeNamed(policy: string, mode: Mode): void;
}

/** The sums by label: policies beyond the bound on names share one. */
function summed(standings: readonly WorkloadsShort[]): readonly WorkloadsShort[] {
  const bounded = boundedNames();
  const sums = new Map<string, WorkloadsShort>();
  for (const { policy: name, mode, workloads } of standings) {
    const policy = bounded(name);
    const key = `${mode} ${policy}`;
    sums.set(key, { policy, mode, workloads: workloads + (sums.get(key)?.workloads ?? 0) });
  }
  return [...sums.values()];
}

/** These metrics on a registry. `expect` starts the counters of policies at 0. */
export function recheckMetrics(registry: Registry): {
  readonly metrics: RecheckMetrics;
  expect(policies: readonly { readonly name: string; readonly mode: Mode }[]): void;
} {
  const { noncompliant, scan, scanned, named, leftOut } = recheckInstruments(registry);
  const bounded = boundedNames();
  // Absent where nobody looks, such as without a cluster: 0 would be an alarm.
  scanned.remove();
  leftOut.remove();
  let isExpected = false;
  return {
    metrics: {
      setNoncompliant: (standings) => {
        noncompliant.reset();
        for (const { policy, mode, workloads } of summed(standings))
          noncompliant.set({ policy, mode }, workloads);
      },
      expectScan: () => {
        if (!isExpected) scanned.set(0);
        isExpected = true;
      },
      observeScan: (seconds, success) => {
        scan.observe(seconds);
        if (success !== undefined) scanned.set(success / 1000);
      },
      setRecheckLeftOut: (pods) => (pods === undefined ? leftOut.remove() : leftOut.set(pods)),
      observeNamed: (policy, mode) => named.inc({ policy: bounded(policy), mode }),
    },
    expect: (policies) => {
      for (const { name, mode } of policies) named.inc({ policy: bounded(name), mode }, 0);
    },
  };
}
