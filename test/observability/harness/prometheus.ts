import { execFile } from "node:child_process";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { parse, stringify } from "yaml";
import { projectRoot } from "../../cluster/harness/binaries.ts";
import { startProgram, until } from "../../cluster/harness/process.ts";
import { freePort } from "../../fixtures/free-port.ts";

const run = promisify(execFile);

export const alertsFile = join(projectRoot, "charts/skill-admission/rules/alerts.yaml");

/** One alert rule, as it stands in the file. */
export interface AlertRule {
  readonly alert: string;
  readonly expr: string;
  readonly for?: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

interface RuleFile {
  readonly groups: readonly { readonly name: string; readonly rules: readonly AlertRule[] }[];
}

export const readRules = async (): Promise<RuleFile> => parse(await readFile(alertsFile, "utf8")) as RuleFile;

export const readAlerts = async (): Promise<readonly AlertRule[]> =>
  (await readRules()).groups.flatMap(({ rules }) => rules);

/** One series of an answer. */
export interface Series {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: readonly [number, string];
}

/** One process that is scraped. */
export interface Target {
  readonly port: number;
  /** Labels as Kubernetes would give them. */
  readonly namespace: string;
  readonly pod: string;
}

/** A real Prometheus that scrapes every half second, with the rules of the chart, impatient ones: `for` is a second. */
export interface Prometheus {
  /** Series of an expression now. @throws Error with what Prometheus says of an expression that it cannot read */
  query(expr: string): Promise<readonly Series[]>;
  /** Names of the alerts that fire in a namespace, sorted, each once; without one, of those that have no namespace. */
  firing(namespace?: string): Promise<readonly string[]>;
  /** Values of a label, as the dashboard's variables ask for them. */
  labelValues(label: string, metric: string): Promise<readonly string[]>;
  stop(): Promise<void>;
}

const missing = (name: string): Error =>
  new Error(`the observability tests need ${name}: install Prometheus (Debian: apt-get install prometheus)`);

/** Runs promtool. @throws Error with what it said where it fails, or where there is none */
export async function promtool(...args: readonly string[]): Promise<string> {
  try {
    return (await run("promtool", args, { cwd: projectRoot })).stdout;
  } catch (error) {
    const { code, stdout, stderr } = error as { code?: unknown; stdout?: string; stderr?: string };
    if (code === "ENOENT") throw missing("promtool");
    throw new Error(`promtool ${args.join(" ")}:\n${stdout ?? ""}${stderr ?? ""}`, { cause: error });
  }
}

/** @param folder where its data, configuration and log go; removed by whoever made it */
export async function startPrometheus(folder: string, targets: readonly Target[]): Promise<Prometheus> {
  await run("prometheus", ["--version"]).catch(() => Promise.reject(missing("prometheus")));
  await mkdir(folder, { recursive: true });
  const { groups } = await readRules();
  const impatient = groups.map(({ name, rules }) => ({
    name,
    rules: rules.map((rule) => ({ ...rule, ...(rule.for === undefined ? {} : { for: "1s" }) })),
  }));
  await writeFile(join(folder, "alerts.yaml"), stringify({ groups: impatient }));
  const config = {
    global: { scrape_interval: "500ms", scrape_timeout: "400ms", evaluation_interval: "500ms" },
    rule_files: ["alerts.yaml"],
    scrape_configs: [
      {
        job_name: "skill-admission",
        static_configs: targets.map(({ port, namespace, pod }) => ({
          targets: [`127.0.0.1:${port}`],
          labels: { namespace, pod },
        })),
      },
    ],
  };
  await writeFile(join(folder, "prometheus.yaml"), stringify(config));
  const url = `http://127.0.0.1:${await freePort()}`;
  const program = startProgram(
    "prometheus",
    [
      `--config.file=${join(folder, "prometheus.yaml")}`,
      `--storage.tsdb.path=${join(folder, "data")}`,
      `--web.listen-address=${url.slice("http://".length)}`,
      "--log.level=warn",
    ],
    join(folder, "prometheus.log"),
  );
  const ready = async (): Promise<boolean> => (await fetch(`${url}/-/ready`)).ok;
  await until("Prometheus is ready", ready, program).catch(async (error: unknown) => {
    await program.kill();
    throw error;
  });
  const ask = async (path: string, parameters: Readonly<Record<string, string>>): Promise<unknown> => {
    const response = await fetch(`${url}/api/v1/${path}?${new URLSearchParams(parameters).toString()}`);
    const answer = (await response.json()) as { status: string; data: unknown; error?: string };
    if (answer.status !== "success")
      throw new Error(`${answer.error ?? "?"}: ${Object.values(parameters).join(" ")}`);
    return answer.data;
  };
  const query = async (expr: string): Promise<readonly Series[]> =>
    ((await ask("query", { query: expr })) as { result: readonly Series[] }).result;
  return {
    query,
    firing: async (namespace = "") => {
      const found = await query(`ALERTS{alertstate="firing",namespace="${namespace}"}`);
      return [...new Set(found.map(({ metric }) => metric["alertname"] ?? ""))].sort();
    },
    labelValues: async (label, metric) =>
      (await ask(`label/${label}/values`, { "match[]": metric })) as readonly string[],
    stop: () => program.kill(),
  };
}
