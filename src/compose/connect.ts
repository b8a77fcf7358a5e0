import type { Cluster, ClusterHooks } from "../cluster/cluster.ts";
import type { ApiClient } from "../cluster/live/api-client.ts";
import type { SourceHooks } from "../cluster/live/volume-object-source.ts";
import type { ClusterMode, Config } from "../config.ts";
import type { CertificateSource } from "../server/certificates/certificate-source.ts";
import { bundleOf, fromFiles } from "../server/certificates/state.ts";
import { createMemoryStore, type CertificateStore } from "../server/certificates/store.ts";
import type { Telemetry } from "../telemetry/telemetry.ts";

/** Keeps the API server told where the webhook is. */
export interface Registration {
  readonly readiness: () => readonly string[];
  readonly refresh: () => Promise<void>;
  readonly close: () => Promise<void>;
}

/** The cluster of one mode, with what only that mode has. */
export interface Connected {
  readonly cluster: Cluster;
  readonly store: CertificateStore;
  /** DNS names and addresses under which callers reach the webhook. */
  readonly names: readonly string[];
  /** Absent without a cluster. */
  readonly register?: (certificates: CertificateSource) => Registration;
}

/** Where replicas share the webhook's certificates, in the controller's namespace. */
const certificateSecret = "skill-admission-certificates";
const servicePort = 443;

function hooksOf({ log, metrics }: Telemetry): ClusterHooks & SourceHooks {
  return {
    onProblem: (message) => log.warn(message),
    onPolicies: ({ policies, trust }) => {
      metrics.setPolicies(policies);
      metrics.setTrust(trust);
    },
    onWatchState: (resource, healthy) => {
      metrics.setWatch(resource, healthy);
      log.debug("watch", { resource, healthy });
    },
    onCache: (result) => metrics.observeCache("objects", result),
  };
}

/**
 * Opens the cluster that the configuration names. What is not needed in that mode is not loaded.
 * @throws Error where a folder, kubeconfig or credential cannot be used, in words
 */
export async function connect(config: Config, telemetry: Telemetry): Promise<Connected> {
  const hooks = hooksOf(telemetry);
  if (config.cluster.kind !== "offline") return connectLive(config, config.cluster, hooks);
  const { openOfflineCluster } = await import("../cluster/offline/offline-cluster.ts");
  return {
    cluster: await openOfflineCluster(config.cluster.state, hooks),
    store: createMemoryStore(),
    names: ["localhost", "127.0.0.1", "::1", ...usable(config.address)],
  };
}

/** An address that callers can use as it is; "any" is none, and loopback is always there. */
const usable = (address: string): readonly string[] =>
  ["0.0.0.0", "::", "127.0.0.1", "::1"].includes(address) ? [] : [address];

async function connectLive(
  config: Config,
  mode: Exclude<ClusterMode, { readonly kind: "offline" }>,
  hooks: ClusterHooks,
): Promise<Connected> {
  const [
    { createApiClient },
    { connectByKubeconfig, connectInCluster },
    { openLiveCluster },
    { createStatusWriter },
  ] = await Promise.all([
    import("../cluster/live/api-client.ts"),
    import("../cluster/live/connection.ts"),
    import("../cluster/live/live-cluster.ts"),
    import("../cluster/live/status-writer.ts"),
  ]);
  const client = createApiClient(
    mode.kind === "beside" ? await connectByKubeconfig(mode.kubeconfig) : connectInCluster(mode.api),
  );
  const status = createStatusWriter(client, hooks);
  const cluster = openLiveCluster({ client, hooks, status });
  const store = await storeOf(mode, client);
  const { registerWebhook } = await import("../cluster/live/register-webhook.ts");
  const address =
    mode.kind === "beside"
      ? { url: mode.webhookUrl }
      : { service: { namespace: mode.namespace, name: mode.service, port: servicePort } };
  const { namespace } = config;
  return {
    cluster,
    store,
    names: namesOf(mode),
    register: (certificates) =>
      registerWebhook({
        client,
        hooks,
        options: async (signal) => ({
          address,
          caBundle: await sharedBundle(store, certificates, signal),
          timeoutSeconds: config.timeoutSeconds,
          ...(namespace === undefined ? {} : { controllerNamespace: namespace }),
        }),
      }),
  };
}

async function storeOf(
  mode: Exclude<ClusterMode, { readonly kind: "offline" }>,
  client: ApiClient,
): Promise<CertificateStore> {
  if (mode.kind === "beside") return createMemoryStore();
  const { createCertificateSecret } = await import("../cluster/live/certificate-secret.ts");
  return createCertificateSecret(client, mode.namespace, certificateSecret);
}

function namesOf(mode: Exclude<ClusterMode, { readonly kind: "offline" }>): readonly string[] {
  if (mode.kind === "beside") return [new URL(mode.webhookUrl).hostname.replace(/^\[|\]$/g, "")];
  const { service, namespace } = mode;
  return [
    `${service}.${namespace}.svc`,
    `${service}.${namespace}.svc.cluster.local`,
    `${service}.${namespace}`,
  ];
}

/**
 * The bundle as all replicas share it: an older one of this process could cut the others off. With certificates from
 * files somebody else knows the authority, and there is nothing to publish.
 */
async function sharedBundle(
  store: CertificateStore,
  certificates: CertificateSource,
  signal: AbortSignal,
): Promise<string> {
  const stored = await store.load(signal);
  const state = stored === undefined ? undefined : fromFiles(stored.files);
  return state === undefined ? (certificates.current().caBundle ?? "") : bundleOf(state);
}
