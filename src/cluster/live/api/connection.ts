import { readFile } from "node:fs/promises";
import { Agent as PlainAgent } from "node:http";
import { Agent, type RequestOptions } from "node:https";

/** How requests reach the API server: address, TLS and who asks. */
export interface Connection {
  /** Base address without a slash at the end. */
  readonly server: string;
  /**
   * Options of `node:https` for one request: agent and headers.
   * @param fresh read the credentials anew, as after an answer 401
   */
  options(fresh: boolean): Promise<RequestOptions>;
  close(): void;
}

/** Reads and lists share these; a watch holds its socket for minutes, so the number only bounds bursts. */
const agentOptions = { keepAlive: true, keepAliveMsecs: 15_000, maxSockets: 64, maxFreeSockets: 16 } as const;

/** Milliseconds after which credentials are read again. Tokens rotate hours before they expire; client-go takes 10 s. */
const credentialLifetime = 10_000;

/** Where a pod finds its credentials; the paths of every ServiceAccount mount. */
export interface InClusterOptions {
  /** `KUBERNETES_SERVICE_HOST` and `KUBERNETES_SERVICE_PORT`. */
  readonly host: string;
  readonly port: string;
  /** Folder of `token` and `ca.crt`. */
  readonly accountFolder?: string;
}

/**
 * The connection of a pod, by its ServiceAccount. Token and CA are read again every few seconds, since both rotate.
 * Without `@kubernetes/client-node`, which costs some 80 MB and a second at the start.
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

/** What `KubeConfig.loadFromDefault` comes to where it finds nothing, as kubectl does: nobody means that. */
const nowhere = { name: "cluster", server: "http://localhost:8080" };

/**
 * The connection that a kubeconfig describes: certificates, tokens, exec plug-ins, OIDC and proxies as
 * `@kubernetes/client-node` understands them.
 * @param file without it, what kubectl would use: KUBECONFIG, or `~/.kube/config`
 * @throws Error where the file cannot be read or names no cluster
 */
export async function connectByKubeconfig(file: string | undefined, context?: string): Promise<Connection> {
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
  if (context !== undefined) config.setCurrentContext(context);
  const cluster = config.getCurrentCluster();
  if (cluster === null)
    throw new Error(
      `${file ?? "the default kubeconfig"}: its current context names no cluster; choose one with kubectl config use-context`,
    );
  if (file === undefined && cluster.name === nowhere.name && cluster.server === nowhere.server)
    throw new Error(
      "no kubeconfig: neither does KUBECONFIG name one, nor is there ~/.kube/config; name one with --kubeconfig",
    );
  let made: { readonly key: string; readonly agent: Agent | PlainAgent } | undefined;
  return remembering({
    server: cluster.server.replace(/\/+$/, ""),
    options: async () => {
      const options: RequestOptions = {};
      await config.applyToHTTPSOptions(options);
      // The library's agent keeps no connection alive and its first certificate forever; only its proxies are kept.
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
        ...(headers === undefined ? {} : { headers }),
        ...(auth === undefined || auth === null ? {} : { auth }),
      };
    },
    close: () => made?.agent.destroy(),
  });
}

/** Keeps the options for a while: reading credentials for every request would cost more than the request. */
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
