import { Counter, Gauge, Histogram, type Registry } from "prom-client";
import { prefix } from "./instruments.ts";

/** A look at everything that is stored: a few pods, or ten thousand. */
const scanBuckets = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600];

/** Metrics of what is stored, which the leader judges once more. */
export const recheckInstruments = (registry: Registry) => ({
  noncompliant: new Gauge<"policy" | "mode">({
    name: `${prefix}noncompliant_workloads`,
    help: "Workloads that are stored and do not meet the policy; on the leader only",
    labelNames: ["policy", "mode"],
    registers: [registry],
  }),
  scan: new Histogram({
    name: `${prefix}background_scan_duration_seconds`,
    help: "Time in which the leader judged all that is stored",
    buckets: scanBuckets,
    registers: [registry],
  }),
  named: new Counter<"policy" | "mode">({
    name: `${prefix}noncompliant_workloads_named_total`,
    help: "Workloads that were named because something stored did not meet the policy, be it for a moment",
    labelNames: ["policy", "mode"],
    registers: [registry],
  }),
  leftOut: new Gauge({
    name: `${prefix}recheck_pods_left_out`,
    help: "Stored pods that are not judged once more, for there is no memory left for them; on the leader only",
    registers: [registry],
  }),
  scanned: new Gauge({
    name: `${prefix}background_scan_last_success_timestamp_seconds`,
    help: "When this replica, as the leader, last judged all that is stored and could read all of it; 0: not yet, absent: it has not led",
    registers: [registry],
  }),
});
