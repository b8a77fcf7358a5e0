import fc from "fast-check";
import { beforeEach, describe, expect, it } from "vitest";

import { reasons } from "../../../src/policy/reason.ts";
import { reviewedResources } from "../../../src/admission/decision.ts";
import type { Decision } from "../../../src/admission/decision.ts";
import { namespaceChangeWords } from "../../../src/telemetry/change-metrics.ts";
import { RecentRefusals } from "../../../src/telemetry/refusal-metrics.ts";
import {
  attempts,
  boundedNames,
  connectionLimitNames,
  connectionPorts,
  connectionsClosed,
  errorCodes,
  eventsDropped,
  otherNames,
  refusalStatuses,
} from "../../../src/telemetry/labels.ts";
import { createMetrics, type Metrics } from "../../../src/telemetry/metrics.ts";
import { bypassed, decided, failed, finding, skillResult, verdict } from "./decisions.ts";
import { runs } from "../../fixtures/property-runs.ts";

interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

const unescape = (text: string): string =>
  text.replace(/\\(.)/g, (_, character: string) => (character === "n" ? "\n" : character));

/** Reads the text format (exposition format 0.0.4); throws at a line that is none. */
function parse(text: string): Sample[] {
  const typed = new Set<string>();
  const samples: Sample[] = [];
  for (const line of text.split("\n")) {
    if (line === "" || line.startsWith("# HELP ")) continue;
    const type = /^# TYPE ([a-z_]\w*) (?:counter|gauge|histogram|summary)$/.exec(line);
    if (type !== null) {
      expect(typed.has(type[1]!), line).toBe(false);
      typed.add(type[1]!);
      continue;
    }
    const sample = /^([a-z_]\w*)(?:\{((?:[a-z_]\w*="(?:[^"\\\n]|\\[\\"n])*",?)*)\})? (\S+)$/.exec(line);
    if (sample === null) throw new Error(`not a sample: ${line}`);
    const [, name, labels = "", value] = sample;
    expect(typed.has(name!) || typed.has(name!.replace(/_(?:bucket|sum|count)$/, "")), line).toBe(true);
    const pairs = [...labels.matchAll(/([a-z_]\w*)="((?:[^"\\]|\\.)*)"/g)];
    samples.push({
      name: name!,
      labels: Object.fromEntries(pairs.map(([, key, found]) => [key!, unescape(found!)])),
      value: value === "+Inf" ? Infinity : Number(value),
    });
  }
  return samples;
}

describe("createMetrics", () => {
  let metrics: Metrics;
  beforeEach(() => {
    metrics = createMetrics({ version: "1.2.3", revision: "abc" });
  });
  const ours = async (name: string): Promise<Sample[]> =>
    parse((await metrics.read()).body).filter((sample) => sample.name === `skill_admission_${name}`);

  const counted = async (name: string): Promise<Sample[]> =>
    (await ours(name)).filter(({ value }) => value > 0);

  it("says what is running, and what the process takes", async () => {
    expect(await ours("build_info")).toMatchObject([
      { labels: { version: "1.2.3", revision: "abc" }, value: 1 },
    ]);
    const { contentType, body } = await metrics.read();
    expect(contentType).toContain("text/plain; version=0.0.4");
    expect(parse(body).some(({ name }) => name === "process_resident_memory_bytes")).toBe(true);
  });

  it("shares nothing with another one in the same process", async () => {
    metrics.observeDecision(bypassed, 0.001);
    const other = createMetrics({ version: "0", revision: "0" });
    expect((await other.read()).body).not.toMatch(/skill_admission_requests_total\{.*\} [1-9]/);
    expect(await counted("requests_total")).toHaveLength(1);
  });

  it("counts a decision once, with its verdicts, findings and sizes", async () => {
    const findings = [
      finding(),
      finding({ code: "FILE_UNSIGNED" }),
      finding({ code: "UNSIGNED", tolerated: true }),
    ];
    const warned = verdict({ policy: "audit", tenant: "all", mode: "Warn", outcome: "warn" });
    metrics.observeDecision(decided([verdict({ skills: [skillResult(findings)] }), warned]), 0.02);
    expect(await counted("requests_total")).toMatchObject([
      { labels: { resource: "pods", operation: "CREATE", decision: "deny", dry_run: "false" }, value: 1 },
    ]);
    expect(await ours("request_duration_seconds_sum")).toMatchObject([
      { labels: { resource: "pods", decision: "deny" }, value: 0.02 },
    ]);
    expect(await ours("policy_results_total")).toMatchObject([
      {
        labels: {
          policy: "payments",
          tenant: "payments",
          mode: "Enforce",
          result: "deny",
          attempt: "first",
        },
        value: 1,
      },
      {
        labels: { policy: "audit", tenant: "all", mode: "Warn", result: "warn", attempt: "first" },
        value: 1,
      },
    ]);
    const violations = (await ours("violations_total")).map(({ labels }) => labels);
    expect(violations).toEqual([
      { policy: "payments", tenant: "payments", reason: "DIGEST_MISMATCH", enforced: "true" },
      { policy: "payments", tenant: "payments", reason: "FILE_UNSIGNED", enforced: "true" },
      { policy: "payments", tenant: "payments", reason: "UNSIGNED", enforced: "false" },
      { policy: "audit", tenant: "all", reason: "DIGEST_MISMATCH", enforced: "false" },
    ]);
    expect(await ours("skill_size_bytes_sum")).toMatchObject([
      { labels: { source: "ConfigMap" }, value: 2000 },
    ]);
    expect(await ours("skill_size_bytes_count")).toMatchObject([{ value: 1 }]);
  });

  it("counts what had not to be checked and what could not be", async () => {
    metrics.observeDecision(bypassed, 0.0001);
    metrics.observeDecision(failed(), 5);
    metrics.observeDecision(decided([], "allow", { dryRun: true, resource: "other" }), 0.01);
    expect((await counted("requests_total")).map(({ labels }) => labels)).toEqual([
      { resource: "pods", operation: "CREATE", decision: "allow", dry_run: "false" },
      { resource: "pods", operation: "CREATE", decision: "error", dry_run: "false" },
      { resource: "other", operation: "CREATE", decision: "allow", dry_run: "true" },
    ]);
    expect(await ours("violations_total")).toEqual([]);
  });

  it("tells the first attempt from those of a controller that tries again, and from dry runs", async () => {
    let now = 0;
    metrics = createMetrics({ version: "1", revision: "r", now: () => now });
    const attempted = async (decision: Decision): Promise<string | undefined> => {
      const before = await counted("policy_results_total");
      metrics.observeDecision(decision, 0.01);
      const after = await counted("policy_results_total");
      return after.find(
        ({ labels, value }) =>
          value > (before.find((one) => one.labels["attempt"] === labels["attempt"])?.value ?? 0),
      )?.labels["attempt"];
    };
    const denied = (id: string): Decision => ({ ...decided([verdict()]), id });
    expect(await attempted(denied("a"))).toBe("first");
    expect(await attempted(denied("a"))).toBe("repeated");
    expect(await attempted(denied("b"))).toBe("first");
    now += 59 * 60_000;
    expect(await attempted(denied("a"))).toBe("repeated");
    now += 59 * 60_000;
    expect(await attempted(denied("a"))).toBe("repeated");
    now += 61 * 60_000;
    expect(await attempted(denied("a"))).toBe("first");
    const dry = decided([verdict()], "deny", { dryRun: true });
    expect(await attempted({ ...dry, id: "a" })).toBe("dry_run");
    // What was only tried was never refused.
    expect(await attempted({ ...dry, id: "c" })).toBe("dry_run");
    expect(await attempted(denied("c"))).toBe("first");
  });

  it("counts what is let in as a first attempt each time", async () => {
    for (const outcome of ["allow", "warn", "allow", "warn"] as const)
      metrics.observeDecision(decided([verdict({ outcome })], outcome), 0.01);
    const results = await counted("policy_results_total");
    expect(results.map(({ labels, value }) => [labels["result"], labels["attempt"], value])).toEqual([
      ["allow", "first", 2],
      ["warn", "first", 2],
    ]);
  });

  it("remembers a bounded number of refusals", () => {
    const recent = new RecentRefusals(() => 0);
    const refuse = (id: string) => recent.attemptOf({ ...decided([verdict()]), id });
    expect(refuse("old")).toBe("first");
    for (let index = 0; index < 10_000; index += 1) refuse(String(index));
    expect(refuse("old")).toBe("first");
    expect(refuse("9999")).toBe("repeated");
  });

  it("counts denials by namespace only where it is asked to, and no more namespaces than asked for", async () => {
    const denied = (namespace: string) => ({ ...decided([verdict()], "deny", { namespace }), id: namespace });
    metrics.observeDecision(denied("a"), 0.01);
    expect(await ours("namespace_denials_total")).toEqual([]);
    expect((await metrics.read()).body).not.toContain("namespace_denials");
    metrics = createMetrics({ version: "1", revision: "r", namespaces: 2 });
    for (const namespace of ["a", "b", "c", "d", "a"]) metrics.observeDecision(denied(namespace), 0.01);
    metrics.observeDecision(decided([verdict({ outcome: "allow" })], "allow", { namespace: "a" }), 0.01);
    const results = await ours("namespace_denials_total");
    expect(
      results.map(({ labels, value }) => [labels["object_namespace"], labels["attempt"], value]),
    ).toEqual([
      ["a", "first", 1],
      ["b", "first", 1],
      [otherNames, "first", 2],
      ["a", "repeated", 1],
    ]);
  });

  it("has the buckets of the contract", async () => {
    metrics.observeDecision(bypassed, 0.003);
    metrics.observeVerification(0.0002, "oms", "signed");
    const bounds = async (name: string): Promise<string[]> =>
      (await ours(`${name}_bucket`)).map(({ labels }) => labels["le"]!);
    expect((await bounds("request_duration_seconds")).join(" ")).toBe(
      "0.001 0.0025 0.005 0.01 0.025 0.05 0.1 0.25 0.5 1 2.5 5 10 +Inf",
    );
    expect((await bounds("verification_duration_seconds")).join(" ")).toBe(
      "0.0001 0.00025 0.0005 0.001 0.0025 0.005 0.01 0.025 0.05 0.1 0.25 0.5 1 2.5 +Inf",
    );
    const counts = (await ours("request_duration_seconds_bucket")).map(({ value }) => value);
    expect(counts).toEqual([0, 0, ...Array<number>(12).fill(1)]);
  });

  it("observes requests in flight, verifications, fetches and caches", async () => {
    const end = metrics.startRequest();
    metrics.startRequest();
    expect((await ours("requests_in_flight"))[0]?.value).toBe(2);
    end();
    end();
    expect((await ours("requests_in_flight"))[0]?.value).toBe(1);
    metrics.observeFetch(0.01, "ConfigMap", "found");
    metrics.observeFetch(0.01, "ConfigMap", "SOURCE_UNAVAILABLE");
    expect(
      (await ours("fetch_duration_seconds_count")).map(({ labels, value }) => [labels["outcome"], value]),
    ).toEqual([
      ["found", 1],
      ["SOURCE_UNAVAILABLE", 1],
      ["TIMEOUT", 0],
    ]);
    metrics.observeCache("evidence", "hit");
    metrics.observeCache("evidence", "hit");
    expect(await ours("cache_requests_total")).toMatchObject([
      { labels: { cache: "evidence", result: "hit" }, value: 2 },
    ]);
  });

  it("shows the policies in force, and no longer those that are gone", async () => {
    metrics.setPolicies([
      { name: "a", tenant: "t", mode: "Enforce" },
      { name: "b", tenant: "t", mode: "Audit", invalidReason: "no such trust root" },
    ]);
    expect((await ours("policies")).map(({ labels }) => labels)).toEqual([
      { policy: "a", mode: "Enforce", state: "ready" },
      { policy: "b", mode: "Audit", state: "broken" },
    ]);
    metrics.setPolicies([{ name: "a", tenant: "t", mode: "Warn" }]);
    expect((await ours("policies")).map(({ labels }) => labels)).toEqual([
      { policy: "a", mode: "Warn", state: "ready" },
    ]);
  });

  it("shows how many workloads do not meet each policy, on the leader, and counts those that were named", async () => {
    expect(await ours("noncompliant_workloads")).toEqual([]);
    metrics.setPolicies([{ name: "a", tenant: "t", mode: "Enforce" }]);
    expect(await ours("noncompliant_workloads_named_total")).toMatchObject([
      { labels: { policy: "a" }, value: 0 },
    ]);
    metrics.setNoncompliant([
      { policy: "a", mode: "Enforce", workloads: 3 },
      { policy: "b", mode: "Audit", workloads: 0 },
    ]);
    metrics.observeNamed("a", "Enforce");
    expect((await ours("noncompliant_workloads")).map(({ labels, value }) => [labels, value])).toEqual([
      [{ policy: "a", mode: "Enforce" }, 3],
      [{ policy: "b", mode: "Audit" }, 0],
    ]);
    expect(await ours("noncompliant_workloads_named_total")).toMatchObject([{ value: 1 }]);
    metrics.setNoncompliant([]);
    expect(await ours("noncompliant_workloads")).toEqual([]);
  });

  it("sums the workloads of policies beyond the bound on names", async () => {
    const many = Array.from({ length: 502 }, (_, at) => ({
      policy: `p${at}`,
      mode: "Warn" as const,
      workloads: 1,
    }));
    metrics.setNoncompliant(many);
    const others = (await ours("noncompliant_workloads")).filter(
      ({ labels }) => labels["policy"] === otherNames,
    );
    expect(others).toMatchObject([{ value: 2 }]);
  });

  it("shows how long a look at everything takes, and when one last could read all of it", async () => {
    expect(await ours("background_scan_last_success_timestamp_seconds")).toEqual([]);
    metrics.expectScan();
    metrics.observeScan(2, undefined);
    expect(await ours("background_scan_last_success_timestamp_seconds")).toMatchObject([{ value: 0 }]);
    metrics.observeScan(3, 1_900_000_000_000);
    metrics.expectScan();
    expect(await ours("background_scan_last_success_timestamp_seconds")).toMatchObject([
      { value: 1_900_000_000 },
    ]);
    expect(await ours("background_scan_duration_seconds_sum")).toMatchObject([{ value: 5 }]);
  });

  it("shows for how many stored pods there is no memory, on the leader", async () => {
    expect(await ours("recheck_pods_left_out")).toEqual([]);
    metrics.setRecheckLeftOut(2);
    expect(await ours("recheck_pods_left_out")).toMatchObject([{ value: 2 }]);
    metrics.setRecheckLeftOut(undefined);
    expect(await ours("recheck_pods_left_out")).toEqual([]);
  });

  it("shows which mirrors answer, and when they did last", async () => {
    const shown = async (name: string) =>
      (await ours(name)).map(({ labels, value }) => [labels["root"], value]);
    metrics.setMirrors([
      { name: "a/x", up: true, lastSuccess: 1_900_000_000_000 },
      { name: "b/y", up: false },
    ]);
    expect(await shown("trusted_root_mirror_up")).toEqual([
      ["a/x", 1],
      ["b/y", 0],
    ]);
    expect(await shown("trusted_root_refreshed_timestamp_seconds")).toEqual([
      ["a/x", 1_900_000_000],
      ["b/y", 0],
    ]);
    metrics.setMirrors([]);
    expect(await shown("trusted_root_mirror_up")).toEqual([]);
    expect(await shown("trusted_root_refreshed_timestamp_seconds")).toEqual([]);
  });

  it("shows when trust and the webhook's certificate end, the earliest of several", async () => {
    metrics.setTrust([
      { name: "a/x", notAfter: 2_000_000_000_000, kind: "authority" },
      { name: "a/x", notAfter: 1_900_000_000_000, kind: "authority" },
      { name: "b/y", notAfter: 1_950_000_000_000, kind: "key" },
      { name: "a/x", notAfter: 1_800_000_000_000, kind: "crl" },
      { name: "c/z", notAfter: 1_950_000_000_000, kind: "verifiable-after" },
      { name: "ClusterSkillPolicy/p/unsigned.until", notAfter: 1_700_000_000_000, kind: "unsigned" },
    ]);
    expect(
      (await ours("trust_not_after_timestamp_seconds")).map(({ labels, value }) => [
        labels["root"],
        labels["kind"],
        value,
      ]),
    ).toEqual([
      ["a/x", "authority", 1_900_000_000],
      ["b/y", "key", 1_950_000_000],
      ["a/x", "crl", 1_800_000_000],
      ["ClusterSkillPolicy/p/unsigned.until", "unsigned", 1_700_000_000],
    ]);
    metrics.setTrust([]);
    expect(await ours("trust_not_after_timestamp_seconds")).toEqual([]);
    metrics.setCertificate("serving", 1_800_000_000_000);
    expect(await ours("webhook_certificate_not_after_timestamp_seconds")).toMatchObject([
      { labels: { role: "serving" }, value: 1_800_000_000 },
    ]);
  });

  it("counts what failed by code and what was refused by status, from 0 on", async () => {
    const of = async (name: string, label: string): Promise<Readonly<Record<string, number>>> =>
      Object.fromEntries((await ours(name)).map(({ labels, value }) => [labels[label]!, value]));
    const none = { INTERNAL: 0, TIMEOUT: 0, SOURCE_UNAVAILABLE: 0, SOURCE_MALFORMED: 0, LIMIT_EXCEEDED: 0 };
    expect(await of("request_errors_total", "code")).toEqual(none);
    metrics.observeDecision(failed(), 5);
    metrics.observeDecision(bypassed, 0.001);
    expect(await of("request_errors_total", "code")).toEqual({ ...none, INTERNAL: 1 });
    for (const status of [503, 503, 418, 504]) metrics.observeRefusal(status);
    expect(await of("http_refusals_total", "status")).toEqual({
      400: 0,
      401: 0,
      403: 0,
      408: 0,
      413: 0,
      415: 0,
      500: 0,
      503: 2,
      504: 1,
      other: 1,
    });
  });

  it("counts connections that were closed because there were too many, from 0 on", async () => {
    const before = await ours("connections_closed_total");
    expect(before.map(({ value }) => value)).toEqual(Array(8).fill(0));
    metrics.observeConnectionClosed({ port: "webhook", limit: "client", closed: "oldest" });
    metrics.observeConnectionClosed({ port: "metrics", limit: "total", closed: "newest" });
    const after = await ours("connections_closed_total");
    expect(after.filter(({ value }) => value > 0).map(({ labels, value }) => [labels, value])).toEqual([
      [{ port: "webhook", limit: "client", closed: "oldest" }, 1],
      [{ port: "metrics", limit: "total", closed: "newest" }, 1],
    ]);
  });

  it("begins to count a policy's results at 0, those that its mode can have", async () => {
    metrics.setPolicies([
      { name: "a", tenant: "t", mode: "Enforce" },
      { name: "b", tenant: "t", mode: "Audit" },
    ]);
    const results = await ours("policy_results_total");
    expect(results.map(({ labels, value }) => `${labels["policy"]} ${labels["result"]} ${value}`)).toEqual([
      "a allow 0",
      "a warn 0",
      "a deny 0",
      "b allow 0",
    ]);
    metrics.observeDecision(decided([verdict({ policy: "a", tenant: "t" })]), 0.01);
    metrics.setPolicies([{ name: "a", tenant: "t", mode: "Enforce" }]);
    const denied = (await ours("policy_results_total")).filter(({ labels }) => labels["result"] === "deny");
    expect(denied).toMatchObject([{ labels: { policy: "a", tenant: "t", attempt: "first" }, value: 1 }]);
  });

  it("asks at every reading whether it is ready, registered and leads, and shows the latter two only in a cluster", async () => {
    expect(await ours("ready")).toMatchObject([{ value: 0 }]);
    expect(await ours("webhook_registered")).toEqual([]);
    let fine = true;
    expect(await ours("leader")).toEqual([]);
    metrics.setProbes({ ready: () => fine, registered: () => fine, leads: () => fine });
    expect(await ours("leader")).toMatchObject([{ value: 1 }]);
    expect(await ours("ready")).toMatchObject([{ value: 1 }]);
    expect(await ours("webhook_registered")).toMatchObject([{ value: 1 }]);
    fine = false;
    expect(await ours("ready")).toMatchObject([{ value: 0 }]);
    expect(await ours("webhook_registered")).toMatchObject([{ value: 0 }]);
  });

  it("counts repairs of the registration from 0 on, and only where there is one", async () => {
    expect(await ours("webhook_repairs_total")).toEqual([]);
    metrics.setProbes({ ready: () => true, registered: () => true });
    expect(await ours("webhook_repairs_total")).toMatchObject([{ value: 0 }]);
    metrics.observeRepair();
    metrics.observeRepair();
    expect(await ours("webhook_repairs_total")).toMatchObject([{ value: 2 }]);
  });

  it("shows watches and limits, a limit on memory only where there is one", async () => {
    metrics.setWatch("pods", true);
    metrics.setWatch("namespaces", false);
    metrics.setLimits({ timeoutSeconds: 5, memory: undefined });
    expect(await ours("watch_up")).toMatchObject([
      { labels: { resource: "pods" }, value: 1 },
      { labels: { resource: "namespaces" }, value: 0 },
    ]);
    expect(await ours("webhook_timeout_seconds")).toMatchObject([{ value: 5 }]);
    expect(await ours("memory_limit_bytes")).toEqual([]);
    expect(await ours("break_glass_namespaces")).toEqual([]);
    metrics.setBreakGlass(2);
    expect(await ours("break_glass_namespaces")).toMatchObject([{ value: 2 }]);
    expect(await ours("pods_left_out")).toEqual([]);
    metrics.setPodsLeftOut(0);
    expect(await ours("pods_left_out")).toMatchObject([{ value: 0 }]);
    metrics.setLimits({ timeoutSeconds: 7, memory: 1024 });
    expect(await ours("memory_limit_bytes")).toMatchObject([{ value: 1024 }]);
  });

  it("never makes a label of a skill, an object or a user, and stays readable whatever a policy is called", async () => {
    const closed: Readonly<Record<string, readonly string[]>> = {
      resource: reviewedResources,
      operation: ["CREATE", "UPDATE", "DELETE", "CONNECT"],
      decision: ["allow", "warn", "deny", "error"],
      dry_run: ["true", "false"],
      mode: ["Enforce", "Warn", "Audit"],
      result: ["allow", "warn", "deny", ...eventsDropped],
      attempt: attempts,
      change: [...namespaceChangeWords, "changed"],
      kind: ["Trust"],
      name: [""],
      reason: reasons,
      enforced: ["true", "false"],
      source: ["ConfigMap"],
      outcome: ["found", "SOURCE_UNAVAILABLE", "TIMEOUT"],
      code: errorCodes,
      status: refusalStatuses,
      port: connectionPorts,
      limit: connectionLimitNames,
      closed: connectionsClosed,
    };
    const property = fc.asyncProperty(
      fc.string({ unit: "binary" }),
      fc.string({ minLength: 4 }),
      async (policy, hostile) => {
        const marked = `secret-${hostile}`;
        const own = createMetrics({ version: "1", revision: "1" });
        const skills = [skillResult([finding({ message: marked, path: marked })], marked)];
        const about = {
          uid: marked,
          kind: marked,
          namespace: marked,
          name: marked,
          user: marked,
        };
        own.observeDecision(decided([verdict({ policy, tenant: policy, skills })], "deny", about), 0.01);
        const { body } = await own.read();
        expect(body).not.toContain("secret-");
        for (const { name, labels } of parse(body)) {
          if (!name.startsWith("skill_admission_")) continue;
          for (const [label, found] of Object.entries(labels)) {
            if (label in closed) expect(closed[label], `${name} ${label}`).toContain(found);
            else if (label === "policy" || label === "tenant") expect(found).toBe(policy);
            else expect(["le", "version", "revision"]).toContain(label);
          }
        }
      },
    );
    await fc.assert(property, runs(30));
  });
});

describe("boundedNames", () => {
  it("lets so many names through, always the same, and calls the rest by one", () => {
    const bounded = boundedNames(2);
    expect(["a", "b", "c", "a", "d", "b"].map(bounded)).toEqual(["a", "b", otherNames, "a", otherNames, "b"]);
  });
});
