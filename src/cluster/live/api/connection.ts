import { readFile } from "node:fs/promises";
import { Agent as PlainAgent } from "node:http";
import { Agent, type RequestOptions } from "node:https";
import type { Cluster, KubeConfig } from "@kubernetes/client-node";
import { defined } from "../../../text/fields.ts";

/** Access to the API server: address, TLS and credentials. */
export interface Connection {
  /** Base URL without trailing slash. */
  readonly server: string;
  /**
   * Options of `node:https` for one request: agent and headers.
   * @param fresh true: read the credentials again, as after a 401
   */
  options(fresh: boolean): Promise<RequestOptions>;
  close(): void;
}

/** For reads and lists; a watch holds its socket for minutes, so the maximum only bounds bursts. */
const agentOptions = { keepAlive: true, keepAliveMsecs: 15_000, maxSockets: 64, maxFreeSockets: 16 } as const;

/** Milliseconds for which credentials are cached. Tokens rotate hours before they expire; client-go uses 10 s. */
const credentialLifetime = 10_000;

/** Location of a pod's credentials; defaults are those of every ServiceAccount mount. */
export interface InClusterOptions {
  /** `KUBERNETES_SERVICE_HOST` and `KUBERNETES_SERVICE_PORT`. */
  readonly host: string;
  readonly port: string;
  /** Folder with `token` and `ca.crt`. */
  readonly accountFolder?: string;
}

/**
 * Connects as a pod's ServiceAccount. Token and CA are read again every few seconds: both rotate. Does without
 * `@kubernetes/client-node`, which costs some 80 MB and a second at the start.
 */
export function connectInCluster({ host, port, accountFolder }: InClusterOptions): Connection {
  const folder = accountFolder ?? "/var/run/secrets/kubernetes.io/serviceaccount";
  const name = host.includes(":") ? `[${host}]` : host;
  let agent: { readonly ca: string; readonly agent: Agent } | undefined;
  return remembering({
    server: `https://${name}:${port}`,
    options: async () => {
      const [token, ca] = await Promise.all([
        readFile(`${folder}/token`, "utf8"),
        readFile(`${folder}/ca.crt`, "utf8"),
      ]);
      if (agent?.ca !== ca) {
        agent?.agent.destroy();
        agent = { ca, agent: new Agent({ ...agentOptions, ca }) };
      }
      return { agent: agent.agent, headers: { authorization: `Bearer ${token.trim()}` } };
    },
    close: () => agent?.agent.destroy(),
  });
}

/** Default of `KubeConfig.loadFromDefault` without any kubeconfig, as in kubectl; never intended here. */
const nowhere = { name: "cluster", server: "http://localhost:8080" };

interface LoadedKubeconfig {
  readonly config: KubeConfig;
  /** Of the context. */
  readonly cluster: Cluster;
}

/**
 * Loads a kubeconfig and chooses its context.
 * @throws Error if the file cannot be read or names no cluster
 */
async function loadKubeconfig(
  file: string | undefined,
  context: string | undefined,
): Promise<LoadedKubeconfig> {
  const { KubeConfig } = await import("@kubernetes/client-node");
  const config = new KubeConfig();
  try {
    if (file === undefined) config.loadFromDefault();
    else config.loadFromFile(file);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new Error(
      `the kubeconfig ${file ?? "that kubectl would use"} cannot be read: ${why}; name another with --kubeconfig`,
      { cause },
    );
  }
  if (context !== undefined) {
    if (config.getContextObject(context) === null)
      throw new Error(
        `${file ?? "the default kubeconfig"} has no context ${context}; see kubectl config get-contexts`,
      );
    config.setCurrentContext(context);
  }
  const cluster = config.getCurrentCluster();
  if (cluster === null)
    throw new Error(
      `${file ?? "the default kubeconfig"}: its current context names no cluster; choose one with kubectl config use-context`,
    );
  if (file === undefined && cluster.name === nowhere.name && cluster.server === nowhere.server)
    throw new Error(
      "no kubeconfig: neither does KUBECONFIG name one, nor is there ~/.kube/config; name one with --kubeconfig",
    );
  return { config, cluster };
}

/**
 * Connects as a kubeconfig describes: certificates, tokens, exec plug-ins, OIDC and proxies as
 * `@kubernetes/client-node` understands them.
 * @param file default: kubectl's, KUBECONFIG or `~/.kube/config`; in a pod without either its ServiceAccount
 * @throws Error if the file cannot be read or names no cluster
 */
export async function connectByKubeconfig(file: string | undefined, context?: string): Promise<Connection> {
  const { config, cluster } = await loadKubeconfig(file, context);
  let made: { readonly key: string; readonly agent: Agent | PlainAgent } | undefined;
  return remembering({
    server: cluster.server.replace(/\/+$/, ""),
    options: async () => {
      const options: RequestOptions = {};
      await config.applyToHTTPSOptions(options);
      // The library's agent keeps no connection alive and never reloads its certificate; it is used for proxies
      // only.
      if (cluster.proxyUrl !== undefined && cluster.proxyUrl !== "") return options;
      const { ca, cert, key, pfx, passphrase, rejectUnauthorized, servername } = options;
      const tls = Object.fromEntries(
        Object.entries({ ca, cert, key, pfx, passphrase, rejectUnauthorized, servername }).filter(
          ([, value]) => value !== undefined,
        ),
      );
      const fingerprint = JSON.stringify(tls);
      if (made?.key !== fingerprint) {
        made?.agent.destroy();
        const plain = cluster.server.startsWith("http:");
        made = {
          key: fingerprint,
          agent: plain ? new PlainAgent(agentOptions) : new Agent({ ...agentOptions, ...tls }),
        };
      }
      const { headers, auth } = options;
      return {
        agent: made.agent,
        ...defined({ headers }),
        ...(auth === undefined || auth === null ? {} : { auth }),
      };
    },
    close: () => made?.agent.destroy(),
  });
}

/** Caches the options: reading credentials for each request would cost more than the request. */
function remembering(connection: {
  readonly server: string;
  readonly options: () => Promise<RequestOptions>;
  readonly close: () => void;
}): Connection {
  let kept: { readonly until: number; readonly options: Promise<RequestOptions> } | undefined;
  return {
    server: connection.server,
    options: (fresh) => {
      if (!fresh && kept !== undefined && performance.now() < kept.until) return kept.options;
      const options = connection.options();
      const made = { until: performance.now() + credentialLifetime, options };
      kept = made;
      options.catch(() => {
        if (kept === made) kept = undefined;
      });
      return options;
    },
    close: connection.close,
  };
}
