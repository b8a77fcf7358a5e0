import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { vi } from "vitest";
import { freePort } from "../../fixtures/free-port.ts";
import { projectRoot } from "../harness/binaries.ts";
import { kubectl } from "../harness/cluster.ts";
import { startProgram, until, type Program } from "../harness/process.ts";
import { host, kubeconfig } from "../harness/opened.ts";

/** One line of the product's log. */
export interface LogLine {
  readonly level: string;
  readonly msg: string;
  readonly decision?: "allow" | "warn" | "deny" | "error";
  readonly bypass?: string;
  readonly id?: string;
  readonly kind?: string;
  readonly operation?: string;
  readonly namespace?: string;
  readonly name?: string;
  readonly dryRun?: boolean;
  readonly verdicts?: readonly {
    readonly policy: string;
    readonly mode: string;
    readonly outcome: string;
    readonly skills: readonly { readonly findings: readonly { readonly code: string }[] }[];
  }[];
}

/** The real product beside the test's cluster: the program that people install, with its own registration. */
export interface Product {
  readonly url: string;
  /** Everything that it has logged so far. */
  log(): Promise<readonly LogLine[]>;
  /** The newest decision about an object; waits for it. */
  decision(kind: string, name: string): Promise<LogLine>;
  /** The text of `/metrics`. */
  metrics(): Promise<string>;
  /** Ends it as a crash would. The registration stays: the API server goes on asking. */
  kill(): Promise<void>;
  /** Tells it to stop, as Ctrl-C and the kubelet do, and returns at once. */
  stop(): void;
  /** Waits until it has ended, then starts it again under the same address, with certificates of its own. */
  restart(): Promise<void>;
  /** Ends it and removes its registration and every policy, trust root and revocation list. */
  remove(): Promise<void>;
}

const registration = "skill-admission";

/** Policies, trust roots and lists of tests before would govern these namespaces too. */
async function clear(): Promise<void> {
  await kubectl(["delete", "validatingwebhookconfiguration", registration, "--ignore-not-found"]);
  await kubectl(["delete", "cskp,sktr,skrl", "--all"]);
}

/** Installs the CRDs as the documentation says. */
export async function installCrds(): Promise<void> {
  await kubectl(["apply", "--server-side", "--force-conflicts", "-f", "manifests/crds"]);
  await kubectl(["wait", "--for=condition=Established", "--timeout=60s", "-f", "manifests/crds"]);
}

/**
 * Does the API server ask this process already: it learns of a registration by watch. A dry run of a pod in a governed
 * namespace would do, but there may be none yet; so the log tells.
 */
async function asked(log: () => Promise<readonly LogLine[]>): Promise<void> {
  let round = 0;
  await vi.waitFor(
    async () => {
      const name = `probe-${(round += 1)}`;
      await kubectl(["-n", "default", "create", "configmap", name, "--dry-run=server"]);
      const lines = await log();
      if (!lines.some((line) => line.name === name)) throw new Error("the webhook is not asked yet");
    },
    { timeout: 20_000, interval: 100 },
  );
}

/**
 * Starts `skill-admission serve` beside the cluster, with the CRDs installed, and waits until it is asked.
 * @param options.kubeconfig default the administrator's
 * @param options.args more of the command line
 */
export async function startProduct(
  options: { readonly kubeconfig?: string; readonly args?: readonly string[] } = {},
): Promise<Product> {
  await installCrds();
  await clear();
  const folder = await mkdtemp(join(tmpdir(), "skill-admission-e2e-"));
  const [port, metricsPort] = await Promise.all([freePort(), freePort()]);
  const url = `https://${host.name}:${port}`;
  const logFile = join(folder, "serve.log");
  const args = [
    join(projectRoot, "dist/main.js"),
    "serve",
    `--kubeconfig=${options.kubeconfig ?? kubeconfig}`,
    `--webhook-url=${url}`,
    `--address=${host.listen}`,
    `--port=${port}`,
    "--metrics-address=127.0.0.1",
    `--metrics-port=${metricsPort}`,
    "--grace-seconds=4",
    "--log-level=debug",
    ...(options.args ?? []),
  ];
  const log = async (): Promise<readonly LogLine[]> => {
    const lines = (await readFile(logFile, "utf8")).split("\n").slice(0, -1);
    // The shell around the program says a word of its own when it is killed.
    return lines.filter((line) => line.startsWith("{")).map((line) => JSON.parse(line) as LogLine);
  };
  let starts = 0;
  const start = async (): Promise<Program> => {
    const started = startProgram(process.execPath, args, logFile);
    starts += 1;
    const ready = async () =>
      (await log()).filter(({ msg }) => msg === "ready and registered").length === starts;
    await until("the product is ready", ready, started, 20_000);
    await asked(log);
    return started;
  };
  let program = await start();
  return {
    url,
    log,
    decision: (kind, name) =>
      vi.waitFor(
        async () => {
          const found = (await log()).findLast((line) => line.kind === kind && line.name === name);
          if (found?.decision === undefined) throw new Error(`no decision about ${kind} ${name}`);
          return found;
        },
        { timeout: 5_000, interval: 50 },
      ),
    metrics: async () => (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text(),
    kill: () => program.kill(),
    stop: () => program.terminate(),
    restart: async () => {
      await program.ended;
      program = await start();
    },
    remove: async () => {
      await program.kill();
      await clear();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
