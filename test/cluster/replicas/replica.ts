import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, vi } from "vitest";
import { freePort } from "../../fixtures/free-port.ts";
import { registrationPath } from "../admission/product.ts";
import { projectRoot } from "../harness/binaries.ts";
import { api, find, ownPath, remove, removeOwn } from "../harness/api.ts";
import { apply } from "../harness/apply.ts";
import type { Ran } from "../../fixtures/run-command.ts";
import { logLines, type LogLine } from "../harness/log.ts";
import { startProgram, until } from "../harness/process.ts";
import { host, kubeconfig as administrators } from "../harness/opened.ts";
import { clusterSkillPolicy } from "../../fixtures/resources.ts";
import { patience } from "../../fixtures/patience.ts";

/** One of several processes of the product that agree on a leader by one Lease. */
export interface Replica {
  readonly url: string;
  /** The authority of its certificate, PEM. */
  authority(): Promise<string>;
  log(): Promise<readonly LogLine[]>;
  /** The value of a metric without labels; undefined where it cannot be had. */
  metric(name: string): Promise<number | undefined>;
  pause(): void;
  resume(): void;
  /** Tells it to stop, and waits until it has. */
  stop(): Promise<void>;
  kill(): Promise<void>;
}

/** Where replicas of this namespace have their Lease. */
export const leaseIn = (namespace: string): string =>
  `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases/skill-admission`;

/** Flags as they are named inside of the program. */
const inCamelCase = (flags: Readonly<Record<string, string>>): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(flags).map(([name, value]) => [
      name.replaceAll(/-(.)/g, (_, letter: string) => letter.toUpperCase()),
      value,
    ]),
  );

export interface ReplicaOptions {
  /** Default the administrator's. */
  readonly kubeconfig?: string;
  /** With `hurriedTimes` for its Lease in place of production's. */
  readonly hurried?: boolean;
}

/** Starts a replica that registers by the URL that it has to itself, and waits until it is ready. */
export async function startReplica(namespace: string, options: ReplicaOptions = {}): Promise<Replica> {
  const folder = await mkdtemp(join(tmpdir(), "skill-admission-replica-"));
  const [port, metricsPort] = await Promise.all([freePort(), freePort()]);
  const url = `https://${host.name}:${port}`;
  const logFile = join(folder, "serve.log");
  const caFile = join(folder, "ca.crt");
  const flags = {
    "ca-file": caFile,
    kubeconfig: options.kubeconfig ?? administrators,
    "webhook-url": url,
    namespace,
    lease: "skill-admission",
    address: host.listen,
    port: String(port),
    "metrics-address": "127.0.0.1",
    "metrics-port": String(metricsPort),
    "grace-seconds": "1",
  };
  const program = startProgram(
    process.execPath,
    options.hurried === true
      ? [join(import.meta.dirname, "hurried.ts"), JSON.stringify(inCamelCase(flags))]
      : [
          join(projectRoot, "dist/main.js"),
          "serve",
          ...Object.entries(flags).map(([name, value]) => `--${name}=${value}`),
        ],
    logFile,
  );
  const log = () => logLines(logFile);
  const ready = async () => (await log()).some(({ msg }) => msg.startsWith("ready"));
  await until("the replica is ready", ready, program);
  const end = async (): Promise<void> => {
    await program.ended;
    await rm(folder, { recursive: true, force: true });
  };
  return {
    url,
    authority: () => readFile(caFile, "utf8"),
    log,
    metric: async (name) => {
      try {
        const signal = AbortSignal.timeout(10_000);
        const text = await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`, { signal })).text();
        const line = text.split("\n").find((one) => one.startsWith(`${name} `));
        return line === undefined ? undefined : Number(line.split(" ")[1]);
      } catch {
        return undefined;
      }
    },
    pause: () => program.pause(),
    resume: () => program.resume(),
    stop: async () => {
      program.terminate();
      await end();
    },
    kill: async () => {
      if (program.running()) program.resume();
      await program.kill();
      await end();
    },
  };
}

/** Starts two; neither is left behind where one of them cannot start, for it would go on registering. */
export async function startReplicas(
  namespace: string,
  options: ReplicaOptions = {},
): Promise<readonly [Replica, Replica]> {
  const started = await Promise.allSettled([
    startReplica(namespace, options),
    startReplica(namespace, options),
  ]);
  const replicas = started.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
  const [first, second] = replicas;
  if (first !== undefined && second !== undefined) return [first, second];
  await Promise.all(replicas.map((one) => one.kill()));
  throw started.find((one) => one.status === "rejected")?.reason;
}

/** Which of them leads, as they say themselves; fails where it is not exactly one. */
export async function leaderOf(replicas: readonly Replica[]): Promise<Replica> {
  const said = await Promise.all(replicas.map((one) => one.metric("skill_admission_leader")));
  const leaders = replicas.filter((_, index) => said[index] === 1);
  if (leaders.length !== 1) throw new Error(`${leaders.length} leaders`);
  return leaders[0]!;
}

interface Registered {
  readonly metadata: { readonly resourceVersion: string };
  readonly webhooks?: readonly { readonly clientConfig: { readonly url: string } }[];
}

/** The registration as it is; undefined where there is none. */
export const registered = (): Promise<Registered | undefined> => find<Registered>(registrationPath);

/** Whom the API server asks; undefined where it asks nobody. */
export const registeredUrl = async (): Promise<string | undefined> =>
  (await registered())?.webhooks?.[0]?.clientConfig.url.replace(/\/validate$/, "");

interface Judged {
  readonly status?: { readonly conditions: readonly { readonly type: string; readonly status: string }[] };
}

/** Puts a policy in place: without one no webhook is registered. */
export const govern = (): Promise<void> =>
  apply(
    clusterSkillPolicy("governing", {
      mode: "Audit",
      namespaceSelector: { matchLabels: { tenant: "governed" } },
      publishers: [{ name: "p", publicKey: { trustRootRef: { name: "no-such-root" } } }],
    }),
  );

/**
 * Writes a policy that cannot be used, and fails until somebody has said so in its status, and the webhook is registered
 * for it.
 */
export async function statusWritten(name: string): Promise<void> {
  const policy = clusterSkillPolicy(name, {
    mode: "Audit",
    publishers: [{ name: "p", publicKey: { trustRootRef: { name: "no-such-root" } } }],
  });
  await apply(policy);
  const conditions = async (): Promise<readonly (readonly [string, string])[]> =>
    (await api<Judged>(ownPath("clusterskillpolicies", name))).status?.conditions.map(
      ({ type, status }) => [type, status] as const,
    ) ?? [];
  const expected = [
    ["Ready", "False"],
    ["Registered", "True"],
  ];
  await vi.waitFor(async () => expect(await conditions()).toEqual(expected), patience);
}

/** `skill-admission unregister`, as an operator calls it. */
export async function runUnregister(namespace: string, kubeconfig = administrators): Promise<Ran> {
  const folder = await mkdtemp(join(tmpdir(), "skill-admission-unregister-"));
  const logFile = join(folder, "out");
  const command = `"$0" "$@" >"${logFile}" 2>"${logFile}.err"; echo $? >"${logFile}.code"`;
  const program = startProgram(
    "sh",
    [
      "-c",
      command,
      process.execPath,
      join(projectRoot, "dist/main.js"),
      "unregister",
      `--kubeconfig=${kubeconfig}`,
      `--namespace=${namespace}`,
    ],
    `${logFile}.shell`,
  );
  await program.ended;
  const read = (name: string) => readFile(name, "utf8");
  const [stdout, stderr, code] = await Promise.all([
    read(logFile),
    read(`${logFile}.err`),
    read(`${logFile}.code`),
  ]);
  await rm(folder, { recursive: true, force: true });
  return { code: Number(code), stdout, stderr };
}

/** Removes what replicas of tests before left. */
export async function clear(namespace: string): Promise<void> {
  await Promise.all([remove(registrationPath), removeOwn(), remove(leaseIn(namespace))]);
}
