import type { LabelSelector } from "./kubernetes/label-selector.ts";
import { defined } from "./text/fields.ts";
import type { ElectionTimes } from "./cluster/live/leader/election.ts";
import type { z } from "zod";

import type { Environment } from "./environment.ts";
import { label, type LogLevel } from "./option-values.ts";
import { serveOptions, serveSchema, type ServeFlags } from "./serve-options.ts";

/** Default name of the Lease in a cluster. */
const defaultLease = "skill-admission";

type Settings = z.infer<typeof serveSchema>;

/** Every fault of flags and environment, one line each. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(`the configuration cannot be used:\n${problems.map((problem) => `- ${problem}`).join("\n")}`);
    this.problems = problems;
  }
}

/** Source of the cluster's state, and address of the webhook. */
export type ClusterMode =
  | { readonly kind: "offline"; readonly state: string }
  | { readonly kind: "beside"; readonly kubeconfig: string; readonly webhookUrl: string }
  | {
      readonly kind: "in-cluster";
      readonly namespace: string;
      readonly service: string;
      /** Address of the API server inside a pod: `KUBERNETES_SERVICE_HOST` and `KUBERNETES_SERVICE_PORT`. */
      readonly api: { readonly host: string; readonly port: string };
    };

/** Settings of `serve`, validated and frozen. */
export interface Config {
  readonly cluster: ClusterMode;
  readonly address: string;
  readonly port: number;
  readonly metricsAddress: string;
  readonly metricsPort: number;
  /** Different namespaces that become labels of denials; 0: none does. */
  readonly metricsNamespaces: number;
  /** True: each port has one socket, which no other process can share. */
  readonly exclusivePorts: boolean;
  /** Namespace of the controller; absent outside a cluster where it is not given. */
  readonly namespace?: string;
  /** Lease for leader election; absent where a process runs by itself. */
  readonly lease?: {
    readonly namespace: string;
    readonly name: string;
    /** Default: `electionDefaults`. No flag sets it, only a caller of `serve`. */
    readonly times?: ElectionTimes;
  };
  /** Name of the Service in front of the webhook, in a cluster. */
  readonly service: string;
  /** True: denied objects get Events. */
  readonly events: boolean;
  /** Namespaces that are never reviewed, besides those that no installation reviews. */
  readonly exemptNamespaces: readonly string[];
  /** No other namespaces are reviewed; absent: those that policies select. */
  readonly namespaceSelector?: LabelSelector;
  /** What becomes of objects where policies enforce while no replica answers. */
  readonly failurePolicy: "Fail" | "Ignore";
  readonly timeoutSeconds: number;
  readonly graceSeconds: number;
  readonly drainSeconds: number;
  readonly logLevel: LogLevel;
  /** Absent: the webhook issues its own certificates. */
  readonly tlsFiles?: { readonly certFile: string; readonly keyFile: string; readonly caFile?: string };
  /** Absent: everyone who reaches the port may ask for reviews. */
  readonly clients?: { readonly caFile: string; readonly names: readonly string[] };
  /** TUF mirrors that may be contacted, and the folder for their metadata. */
  readonly tuf: { readonly mirrors: readonly string[]; readonly cache?: string };
  /** File for the webhook's own certificate authority, for callers outside a cluster. */
  readonly caFile?: string;
}

/** Value of each setting and its origin: flag before environment before default. An empty variable counts as unset. */
function gather(
  flags: ServeFlags,
  env: Environment,
): { values: Record<string, string>; from: Map<string, string> } {
  const values: Record<string, string> = {};
  const from = new Map<string, string>();
  for (const { key, flag, env: variable, default: fallback } of serveOptions) {
    const [name = flag] = flag.split(" ", 1);
    const found = env[variable];
    const fromEnv = found === undefined || found === "" || isServiceLink(variable, found) ? undefined : found;
    const value = flags[key] ?? fromEnv ?? fallback;
    if (value === undefined) continue;
    values[key] = value;
    from.set(key, flags[key] === undefined && fromEnv !== undefined ? variable : name);
  }
  if (flags.port === undefined && from.get("port") === "--port") listenWhereAsked(values);
  return { values, from };
}

/** The API server asks at the port of the URL: a process that listens elsewhere would stop every write that is reviewed. */
function listenWhereAsked(values: Record<string, string>): void {
  const asked = portOf(values["webhookUrl"]);
  if (asked !== "") values["port"] = asked;
}

/** The port that a URL names; empty if it names none, or is no URL. */
const portOf = (url = ""): string => URL.parse(url)?.port ?? "";

/**
 * Recognises variables of service links, which Kubernetes sets in pods beside a Service named skill-admission or
 * skill-admission-*. Some have names of settings: `SKILL_ADMISSION_PORT=tcp://10.0.0.1:443`.
 */
function isServiceLink(name: string, value: string): boolean {
  if (/_PORT(?:_\d+_(?:TCP|UDP|SCTP))?$/.test(name) && /^(?:tcp|udp|sctp):\/\//.test(value)) return true;
  return /_SERVICE_(?:HOST|PORT(?:_[A-Z0-9_]+)?)$|_PORT_\d+_(?:TCP|UDP|SCTP)_(?:ADDR|PORT|PROTO)$/.test(name);
}

/** Variables of other commands. */
const otherVariables: readonly string[] = ["SKILL_ADMISSION_KEY_PASSPHRASE"];

/** Reports unknown variables: a misspelt setting would silently do nothing. */
function unknownVariables(env: Environment): readonly string[] {
  const known = new Set([...otherVariables, ...serveOptions.map((each) => each.env)]);
  return Object.entries(env)
    .filter(
      ([name, value = ""]) =>
        name.startsWith("SKILL_ADMISSION_") && !known.has(name) && !isServiceLink(name, value),
    )
    .map(([name]) => `${name}: there is no such setting; see docs/configuration.md`);
}

/**
 * Parses the settings of `serve`.
 *
 * @param env the process's environment
 * @throws ConfigError with every fault
 */
export function parseServeConfig(flags: ServeFlags, env: Environment): Config {
  const { values, from } = gather(flags, env);
  const parsed = serveSchema.safeParse(values);
  const problems = [...unknownVariables(env)];
  if (!parsed.success) {
    for (const { path, message } of parsed.error.issues) {
      const key = String(path[0] ?? "");
      problems.push(
        `${from.get(key) ?? key}: ${JSON.stringify((values[key] ?? "").slice(0, 100))} ${message}`,
      );
    }
    throw new ConfigError(problems);
  }
  const settings = parsed.data;
  const namespace = settings.namespace ?? (env["POD_NAMESPACE"] === "" ? undefined : env["POD_NAMESPACE"]);
  const cluster = clusterMode(settings, namespace, env, problems);
  const tlsFiles = tlsFilesOf(settings, problems);
  const clients = clientsOf(settings, problems);
  const lease = cluster === undefined ? undefined : leaseOf(settings, cluster, namespace, problems);
  if (settings.port !== 0 && settings.port === settings.metricsPort) {
    problems.push("--port and --metrics-port must differ");
  }
  if (cluster === undefined || problems.length > 0) throw new ConfigError(problems);
  return freeze(settings, cluster, { namespace, tlsFiles, clients, lease });
}

/** Settings derived from more than one flag. */
interface Found {
  readonly namespace: Config["namespace"] | undefined;
  readonly tlsFiles: Config["tlsFiles"] | undefined;
  readonly clients: Config["clients"] | undefined;
  readonly lease: Config["lease"] | undefined;
}

const freeze = (
  settings: Settings,
  cluster: ClusterMode,
  { namespace, tlsFiles, clients, lease }: Found,
): Config =>
  Object.freeze({
    cluster: Object.freeze(cluster),
    address: settings.address,
    port: settings.port,
    metricsAddress: settings.metricsAddress,
    metricsPort: settings.metricsPort,
    metricsNamespaces: settings.metricsNamespaces,
    exclusivePorts: settings.exclusivePorts,
    service: settings.service,
    events: settings.events,
    exemptNamespaces: Object.freeze(settings.exemptNamespaces ?? []),
    ...defined({ namespaceSelector: settings.namespaceSelector }),
    failurePolicy: settings.failurePolicy,
    timeoutSeconds: settings.timeout,
    graceSeconds: settings.graceSeconds,
    drainSeconds: settings.drainSeconds,
    logLevel: settings.logLevel,
    tuf: Object.freeze({
      mirrors: settings.tufMirror ?? [],
      ...defined({ cache: settings.tufCache }),
    }),
    ...defined({ caFile: settings.caFile, namespace }),
    ...(tlsFiles === undefined ? {} : { tlsFiles: Object.freeze(tlsFiles) }),
    ...(clients === undefined ? {} : { clients: Object.freeze(clients) }),
    ...(lease === undefined ? {} : { lease: Object.freeze(lease) }),
  });

function clusterMode(
  { state, kubeconfig, webhookUrl: url, service }: Settings,
  namespace: string | undefined,
  env: Environment,
  problems: string[],
): ClusterMode | undefined {
  if (state !== undefined) {
    if (kubeconfig !== undefined || url !== undefined) {
      problems.push("--state runs without a cluster: leave out --kubeconfig and --webhook-url");
    }
    return { kind: "offline", state };
  }
  if (kubeconfig !== undefined || url !== undefined) {
    if (kubeconfig !== undefined && url !== undefined) return { kind: "beside", kubeconfig, webhookUrl: url };
    problems.push(
      "--kubeconfig and --webhook-url go together: which cluster, and how its API server reaches back",
    );
    return undefined;
  }
  if (!env["KUBERNETES_SERVICE_HOST"]) {
    problems.push(
      "there is no cluster to serve: give --state DIR, or --kubeconfig FILE with --webhook-url URL, or run in a pod",
    );
    return undefined;
  }
  if (namespace !== undefined && label.safeParse(namespace).success)
    return {
      kind: "in-cluster",
      namespace,
      service,
      api: { host: env["KUBERNETES_SERVICE_HOST"], port: env["KUBERNETES_SERVICE_PORT"] ?? "443" },
    };
  problems.push(
    "the controller's own namespace is not known: set POD_NAMESPACE by the downward API, or --namespace",
  );
  return undefined;
}

/** Lease of the replicas: always set in a cluster, optional beside one, absent without one. */
function leaseOf(
  { lease: name }: Settings,
  cluster: ClusterMode,
  namespace: string | undefined,
  problems: string[],
): Config["lease"] {
  if (cluster.kind === "in-cluster") return { namespace: cluster.namespace, name: name ?? defaultLease };
  if (name === undefined) return undefined;
  if (cluster.kind === "beside" && namespace !== undefined) return { namespace, name };
  problems.push("--lease needs a cluster, and --namespace to say where the Lease is");
  return undefined;
}

function tlsFilesOf(
  { tlsCertFile, tlsKeyFile, tlsCaFile }: Settings,
  problems: string[],
): Config["tlsFiles"] {
  if (tlsCertFile === undefined && tlsKeyFile === undefined && tlsCaFile === undefined) return undefined;
  if (tlsCertFile !== undefined && tlsKeyFile !== undefined)
    return {
      certFile: tlsCertFile,
      keyFile: tlsKeyFile,
      ...defined({ caFile: tlsCaFile }),
    };
  problems.push("--tls-cert-file and --tls-key-file go together, and --tls-ca-file goes with both");
  return undefined;
}

function clientsOf({ clientCaFile, clientName }: Settings, problems: string[]): Config["clients"] {
  if (clientCaFile === undefined && clientName === undefined) return undefined;
  if (clientCaFile !== undefined && clientName !== undefined)
    return { caFile: clientCaFile, names: clientName };
  problems.push(
    "--client-ca-file and --client-name go together: an authority may sign for many, so name who may ask for reviews",
  );
  return undefined;
}
