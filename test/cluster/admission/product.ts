import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, vi } from "vitest";
import { selectorMatches, type LabelSelector } from "../../../src/kubernetes/label-selector.ts";
import type { Labels } from "../../../src/kubernetes/object.ts";
import { freePort } from "../../fixtures/free-port.ts";
import { projectRoot } from "../harness/binaries.ts";
import { api, remove, removeOwn } from "../harness/api.ts";
import { installCrds } from "../harness/crds.ts";
import { startProgram, until, type Program } from "../harness/process.ts";
import { logLines, type LogLine } from "../harness/log.ts";
import { host, kubeconfig } from "../harness/opened.ts";
import { patience } from "../../fixtures/patience.ts";

/** The real product beside the test's cluster: the program that people install, with its own registration. */
export interface Product extends SharedProduct {
  readonly url: string;
  /** The same for another file: what was logged before is not its. */
  fromNow(): Promise<SharedProduct>;
  /** Ends it as a crash would. The registration stays: the API server goes on asking. */
  kill(): Promise<void>;
  /** Tells it to stop, as Ctrl-C and the kubelet do, and returns at once. */
  stop(): void;
  /** Waits until it has ended, then starts it again under the same address, with certificates of its own. */
  restart(): Promise<void>;
  /** Ends it and removes its registration and every policy, trust root and revocation list. */
  remove(): Promise<void>;
}

/** One that several files ask in turn: they may only ask it. */
export interface SharedProduct {
  /** Everything that it has logged so far, for whoever has it now. */
  log(): Promise<readonly LogLine[]>;
  /** The newest decision about an object; waits until it is like this. */
  decision(kind: string, name: string, like?: object): Promise<LogLine>;
  /** The text of `/metrics`. Others may have counted before. */
  metrics(): Promise<string>;
}

/** Where the product registers. */
export const registrationPath =
  "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/skill-admission";

/** Policies, trust roots and lists of tests before would govern these namespaces too. */
async function clear(): Promise<void> {
  await remove(registrationPath);
  await removeOwn();
}

interface Registered {
  readonly webhooks?: readonly { readonly name: string; readonly namespaceSelector: LabelSelector }[];
}

interface Namespaces {
  readonly items: readonly { readonly metadata: { readonly name: string; readonly labels: Labels } }[];
}

/** A namespace about whose ConfigMaps the API server asks; undefined where no policy governs one. */
async function governed(): Promise<string | undefined> {
  const { webhooks = [] } = await api<Registered>(registrationPath);
  const { items } = await api<Namespaces>("/api/v1/namespaces");
  return items.find(({ metadata }) =>
    webhooks.some(
      ({ name, namespaceSelector }) =>
        name.startsWith("configmaps") && selectorMatches(namespaceSelector, metadata.labels),
    ),
  )?.metadata.name;
}

/** Does the API server ask this process already: it learns of a registration by watch. The log tells. */
async function asked(log: () => Promise<readonly LogLine[]>): Promise<void> {
  const namespace = await governed();
  if (namespace === undefined) return;
  let round = 0;
  await vi.waitFor(async () => {
    const name = `probe-${(round += 1)}`;
    await api(`/api/v1/namespaces/${namespace}/configmaps?dryRun=All`, {
      method: "POST",
      body: { apiVersion: "v1", kind: "ConfigMap", metadata: { name } },
    });
    const lines = await log();
    if (!lines.some((line) => line.name === name)) throw new Error("the webhook is not asked yet");
  }, patience);
}

/** What may be asked of a product whose log is here, from a place in it on. */
function asking(logFile: string, metricsPort: number, from = 0): SharedProduct {
  const log = () => logLines(logFile, from);
  return {
    log,
    decision: (kind, name, like = {}) =>
      vi.waitFor(async () => {
        const of = (line: LogLine): boolean => line.kind === kind && line.name === name;
        const found = (await log()).findLast((line) => line.decision !== undefined && of(line));
        if (found === undefined) throw new Error(`no decision about ${kind} ${name}`);
        expect(found).toMatchObject(like);
        return found;
      }, patience),
    metrics: async () => (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text(),
  };
}

interface Options {
  /** Default the administrator's. */
  readonly kubeconfig?: string;
  /** More of the command line. */
  readonly args?: readonly string[];
}

async function start(options: Options): Promise<Product> {
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
  const all = asking(logFile, metricsPort);
  let starts = 0;
  const run = async (): Promise<Program> => {
    const started = startProgram(process.execPath, args, logFile);
    starts += 1;
    const ready = async () =>
      (await all.log()).filter(({ msg }) => msg === "ready and registered").length === starts;
    await until("the product is ready", ready, started);
    await asked(() => all.log());
    return started;
  };
  let program = await run();
  return {
    ...all,
    url,
    fromNow: async () => asking(logFile, metricsPort, (await stat(logFile)).size),
    kill: () => program.kill(),
    stop: () => program.terminate(),
    restart: async () => {
      await program.ended;
      program = await run();
    },
    remove: async () => {
      await program.kill();
      await clear();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

let shared: Promise<Product> | undefined;

/** Ends the one that files share, where it runs: two would take turns with one registration. */
export async function endSharedProduct(): Promise<void> {
  const ending = shared;
  shared = undefined;
  await (await ending)?.remove();
}

/**
 * Starts `skill-admission serve` beside the cluster for one file alone, with the CRDs installed, and waits until it is
 * asked. For what does something to it; everything else has the shared one.
 */
export async function startProduct(options: Options = {}): Promise<Product> {
  await endSharedProduct();
  return await start(options);
}

/** The one that files share, without any policy, trust root or revocation list of the files before. */
export async function sharedProduct(): Promise<SharedProduct> {
  shared ??= start({});
  const product = await shared.catch((error: unknown) => {
    shared = undefined;
    throw error;
  });
  await removeOwn();
  return await product.fromNow();
}
