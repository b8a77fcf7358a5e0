import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { killApiServer, kubectl, startApiServer, tryKubectl } from "../cluster/harness/cluster.ts";
import { until } from "../cluster/harness/process.ts";
import { metrics as declared } from "../../scripts/generate/metrics.ts";
import { patience } from "../fixtures/patience.ts";
import { panels, variables } from "./harness/dashboard.ts";
import type { Product } from "./harness/product.ts";
import { readAlerts, startPrometheus, type Prometheus } from "./harness/prometheus.ts";
import { labelsIn, metricsIn, parseExposition, type Exposed } from "./harness/promql.ts";
import {
  podPlain,
  podUnsigned,
  podWith,
  reviewOf,
  startBare,
  startCutOff,
  startHealthy,
  startLive,
  startMirror,
  startSick,
} from "./harness/world.ts";

/** Labels that scraping adds, and that functions of Prometheus make. */
const scraped = ["namespace", "pod", "job", "instance"];

/** Metrics that a process has only in a control group with a limit. */
const limited = ["skill_admission_memory_limit_bytes"];

/** The one alert that asks the API server's own metrics. */
const unreachable = "SkillAdmissionUnreachable";

type Name = "folder" | "live" | "sick" | "cutOff" | "bare";

let folder: string;
let products: Readonly<Record<Name, Product>>;
let prometheus: Prometheus;
/** What has to be stopped whatever becomes of the tests. */
const started: { stop(): Promise<void> }[] = [];

/** Starts everything that is scraped: two that are well, two that are not, one without a policy. */
async function startProducts(): Promise<typeof products> {
  const one = async (name: string, start: (folder: string) => Promise<Product>): Promise<Product> => {
    await mkdir(join(folder, name), { recursive: true });
    const product = await start(join(folder, name));
    started.push(product);
    return product;
  };
  const mirror = await startMirror();
  started.push(mirror);
  return {
    folder: await one("folder", (at) => startHealthy(at, mirror)),
    live: await one("live", startLive),
    sick: await one("sick", (at) => startSick(at, mirror)),
    cutOff: await one("cut-off", startCutOff),
    bare: await one("bare", startBare),
  };
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "skill-admission-observability-"));
  products = await startProducts();
  const target = (namespace: string, pod: Name) => ({
    namespace,
    pod,
    port: products[pod].metricsPort,
  });
  prometheus = await startPrometheus(join(folder, "prometheus"), [
    target("healthy", "folder"),
    target("healthy", "live"),
    target("sick", "sick"),
    target("sick", "cutOff"),
    target("bare", "bare"),
  ]);
  started.push(prometheus);
  // What increases later is an increase only after it was seen before.
  await until("every process was scraped three times", async () => {
    const seen = await prometheus.query("count_over_time(skill_admission_build_info[1m]) >= 3");
    return seen.length === Object.keys(products).length;
  });
  await sendReviews();
});

afterAll(async () => {
  await Promise.all(started.map((one) => one.stop()));
  await startApiServer();
  await kubectl(["delete", "validatingwebhookconfiguration", "skill-admission", "--ignore-not-found"]);
  await kubectl(["delete", "cskp,sktr,skrl", "--all"]);
  await kubectl(["delete", "namespace", "payments", "skill-admission"]);
  await rm(folder, { recursive: true, force: true });
});

async function repeat(times: number, send: (round: number) => Promise<unknown>): Promise<void> {
  for (let round = 0; round < times; round += 1) await send(round);
}

/** Everyday work for those that are well, and for the sick one what must wake somebody. */
async function sendReviews(): Promise<void> {
  const { folder: well, live, sick, cutOff, bare } = products;
  for (const product of [well, live]) {
    await repeat(20, () => product.send(reviewOf(podWith("published"))));
    await repeat(2, () => product.send(reviewOf(podWith("changed"))));
    await repeat(5, () => product.send(reviewOf(podPlain)));
  }
  await bare.send(reviewOf(podWith("changed")));
  await repeat(30, (round) => sick.send(reviewOf(podWith("changed"), "payments", `etl-${round}`)));
  await repeat(2, () => sick.send(reviewOf(podUnsigned, "staging")));
  await repeat(5, () => sick.send(reviewOf(podPlain, "nowhere")));
  await cutOff.send(reviewOf(podPlain));
  await sick.send("no review");
  await Promise.all([sick.stall(), sick.stall()]);
}

async function exposed(): Promise<Exposed> {
  const texts = await Promise.all(Object.values(products).map((product) => product.metrics()));
  return parseExposition(texts);
}

describe("/metrics", () => {
  it("exports every metric that is declared, under its labels and no others", async () => {
    const found = await vi.waitFor(async () => {
      const all = await exposed();
      for (const { name, labels, type } of declared) {
        if (limited.includes(name)) continue;
        const seen = all.get(type === "histogram" ? `${name}_count` : name);
        expect(seen, `${name} is on no /metrics`).toBeDefined();
        expect([...(seen ?? [])].sort(), name).toEqual([...labels].sort());
      }
      return all;
    }, patience);
    const names = [...found.keys()].filter((name) => name.startsWith("skill_admission_"));
    const known = declared.map(({ name }) => name);
    for (const name of names) expect(known).toContain(name.replace(/_(?:bucket|sum|count)$/, ""));
  });

  it("is what panels and alerts ask for: every metric, and every label of it", async () => {
    const found = await exposed();
    const alerts = (await readAlerts()).filter(({ alert }) => alert !== unreachable);
    const asked = [...panels.flatMap(({ exprs }) => exprs), ...alerts.map(({ expr }) => expr)];
    expect(asked.length).toBeGreaterThan(60);
    for (const expr of asked) {
      const names = metricsIn(expr);
      expect(names.length, expr).toBeGreaterThan(0);
      const known = new Set(scraped);
      for (const name of names) {
        if (!limited.includes(name)) expect(found.has(name), `${name} in ${expr}`).toBe(true);
        for (const label of found.get(name) ?? []) known.add(label);
      }
      for (const label of labelsIn(expr)) expect(known, `${label} in ${expr}`).toContain(label);
    }
  });
});

describe("the dashboard", () => {
  const fill = (expr: string): string =>
    expr
      .replaceAll("$namespace", "healthy|sick|bare")
      .replaceAll("$tenant", ".*")
      .replaceAll("$__rate_interval", "1m");

  const numbers = async (expr: string): Promise<number> =>
    (await prometheus.query(fill(expr))).filter(({ value }) => Number.isFinite(Number(value[1]))).length;

  it("shows something on every panel, with a query that Prometheus can read", async () => {
    // A series that is new increases only from its second value on.
    await until(
      "the reviews are scraped",
      async () => (await numbers("skill_admission_skill_size_bytes_count")) > 0,
    );
    await products.folder.send(reviewOf(podWith("changed again")));
    await products.folder.send(reviewOf(podWith("changed")));
    await products.sick.send(reviewOf(podUnsigned, "staging"));
    for (const { title, exprs } of panels) {
      for (const expr of exprs) {
        if (limited.some((name) => expr.includes(name))) await numbers(expr);
        else await expect.poll(() => numbers(expr), { message: `${title}: ${expr}` }).toBeGreaterThan(0);
      }
    }
  });

  it("lets choose among what there is", async () => {
    expect(variables).toEqual([
      { label: "namespace", metric: "skill_admission_build_info" },
      { label: "tenant", metric: "skill_admission_policy_results_total" },
    ]);
    const [namespaces, tenants] = await Promise.all(
      variables.map(({ label, metric }) => prometheus.labelValues(label, metric)),
    );
    expect(namespaces).toEqual(["bare", "healthy", "sick"]);
    expect(tenants).toEqual(["broken", "payments", "staging"]);
  });
});

describe("the alerts", () => {
  const firing = (namespace?: string) => prometheus.firing(namespace);

  it("fire for what is wrong, and for nothing else", async () => {
    await expect
      .poll(() => firing("sick"))
      .toEqual([
        "SkillAdmissionCertificateExpiring",
        "SkillAdmissionDenialSpike",
        "SkillAdmissionNotRedundant",
        "SkillAdmissionNotRegistered",
        "SkillAdmissionPolicyBroken",
        "SkillAdmissionReplicaNotReady",
        "SkillAdmissionReviewsFailing",
        "SkillAdmissionReviewsRefused",
        "SkillAdmissionTrustExpired",
        "SkillAdmissionTrustExpiring",
        "SkillAdmissionTrustedRootStale",
        "SkillAdmissionUnprovenPodsAdmitted",
        "SkillAdmissionVersionSkew",
        "SkillAdmissionWatchDown",
      ]);
    await expect.poll(() => firing("bare")).toEqual(["SkillAdmissionNoPolicy", "SkillAdmissionNotRedundant"]);
    const expiring = await prometheus.query(
      'ALERTS{alertname=~"SkillAdmission(Certificate|Trust).*",alertstate="firing"}',
    );
    expect(
      expiring.map(({ metric }) => [metric["severity"], metric["role"] ?? metric["root"]].join(" ")).sort(),
    ).toEqual([
      "critical over/ca",
      "critical serving",
      "warning five-days/ca",
      "warning mirrored/ours",
      "warning serving",
    ]);
  });

  it("are silent where all is well", async () => {
    await expect.poll(() => firing("healthy")).toEqual([]);
    await expect.poll(() => firing()).toEqual([]);
  });

  it("tell of a namespace under break-glass, until the label is gone", async () => {
    await kubectl(["label", "namespace", "payments", "skill-admission.dev/break-glass=INC-1"]);
    await expect.poll(() => firing("healthy")).toEqual(["SkillAdmissionBreakGlass"]);
    await kubectl(["label", "namespace", "payments", "skill-admission.dev/break-glass-"]);
    await expect.poll(() => firing("healthy")).toEqual([]);
  });

  it("tell of an API server that cannot be reached, until it is back", async () => {
    await killApiServer();
    await repeat(5, () => products.live.send(reviewOf(podWith("published"))));
    await expect
      .poll(() => firing("healthy"))
      .toEqual(expect.arrayContaining(["SkillAdmissionSourcesUnavailable", "SkillAdmissionWatchDown"]));
    await startApiServer();
    await expect.poll(() => firing("healthy"), { timeout: 50_000 }).not.toContain("SkillAdmissionWatchDown");
  });

  it("tell of the last replica that goes", async () => {
    // For the next test: the API server that was started again has counted nothing yet.
    const create = ["run", "probe", "--image=none", "--dry-run=server", "--namespace=payments"];
    await expect.poll(() => tryKubectl(create)).toMatchObject({ code: 0 });
    await Promise.all(Object.values(products).map((product) => product.stop()));
    await expect.poll(() => firing()).toEqual(["SkillAdmissionDown"]);
  });

  it("find in the API server's own metrics that it gets no answer", async () => {
    const { stderr } = await tryKubectl([
      ...["run", "probe", "--image=none", "--dry-run=server", "--namespace=payments"],
    ]);
    expect(stderr).toContain('failed calling webhook "pods.skill-admission.dev"');
    const text = await kubectl(["get", "--raw", "/metrics"]);
    const exposed = parseExposition([text]);
    const { expr } = (await readAlerts()).find(({ alert }) => alert === unreachable)!;
    expect(metricsIn(expr)).toHaveLength(2);
    const known = new Set(metricsIn(expr).flatMap((name) => [...(exposed.get(name) ?? [])]));
    for (const label of labelsIn(expr)) expect(known, label).toContain(label);
    const pods = 'name="pods\\.skill-admission\\.dev"';
    const failed = `^apiserver_admission_webhook_rejection_count\\{(?=.*error_type="calling_webhook_error").*${pods}`;
    expect(text).toMatch(new RegExp(failed, "m"));
    const answered = '^apiserver_admission_webhook_request_total\\{(?=.*code="200").*skill-admission';
    expect(text).toMatch(new RegExp(answered, "m"));
    const unanswered = `^apiserver_admission_webhook_request_total\\{(?=.*code="5\\d\\d").*${pods}`;
    expect(text).toMatch(new RegExp(unanswered, "m"));
  });
});
