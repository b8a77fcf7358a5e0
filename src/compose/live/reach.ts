import { createApiClient, type ApiClient } from "../../cluster/live/api/client.ts";
import { createCertificateSecret } from "../../cluster/live/api/certificate-secret.ts";
import { connectByKubeconfig, connectInCluster } from "../../cluster/live/api/connection.ts";
import { hasReadyEndpoint, readNamespace } from "../../cluster/live/registration/installation.ts";
import type { WebhookOptions } from "../../cluster/live/registration/webhook-configuration.ts";
import type { ClusterMode } from "../../config.ts";
import { createMemoryStore, type CertificateStore } from "../../server/certificates/store.ts";

export type LiveMode = Exclude<ClusterMode, { readonly kind: "offline" }>;

/** How the API server is reached, and how it reaches the webhook. */
export interface Reach {
  readonly client: ApiClient;
  /** DNS names and addresses under which callers reach the webhook. */
  readonly names: readonly string[];
  readonly address: WebhookOptions["address"];
  readonly store: CertificateStore;
  /** The Service in front of the replicas; absent for a process beside the cluster. */
  readonly service?: {
    /** The namespace that the registration goes with. */
    readonly owner: (signal: AbortSignal) => Promise<NonNullable<WebhookOptions["owner"]>>;
    /** Does it lead to a replica yet. */
    readonly reachable: (signal: AbortSignal) => Promise<boolean>;
  };
}

/** Where replicas share the webhook's certificates, in the controller's namespace. */
const certificateSecret = "skill-admission-certificates";
const servicePort = 443;

/** @throws Error where a kubeconfig or credential cannot be used, in words */
export const reachOf = async (mode: LiveMode): Promise<Reach> =>
  mode.kind === "beside" ? byUrl(mode) : byService(mode);

async function byUrl({
  kubeconfig,
  webhookUrl,
}: Extract<LiveMode, { readonly kind: "beside" }>): Promise<Reach> {
  return {
    client: createApiClient(await connectByKubeconfig(kubeconfig)),
    names: [new URL(webhookUrl).hostname.replace(/^\[|\]$/g, "")],
    address: { url: webhookUrl },
    store: createMemoryStore(),
  };
}

function byService({ api, namespace, service }: Extract<LiveMode, { readonly kind: "in-cluster" }>): Reach {
  const client = createApiClient(connectInCluster(api));
  return {
    client,
    names: [
      `${service}.${namespace}.svc`,
      `${service}.${namespace}.svc.cluster.local`,
      `${service}.${namespace}`,
    ],
    address: { service: { namespace, name: service, port: servicePort } },
    store: createCertificateSecret(client, namespace, certificateSecret),
    service: {
      owner: (signal) => readNamespace(client, namespace, signal),
      reachable: settled((signal) => hasReadyEndpoint(client, namespace, service, signal)),
    },
  };
}

/** Milliseconds from the first ready endpoint until every API server knows of it; kube-proxy gathers for a second. */
const endpointSettling = 2_000;

/**
 * Does the Service lead somewhere. Before that a registration would stop the cluster, for as long as it takes a
 * kubelet to ask for readiness; after it was so once, a registration that is missing is put back at once.
 */
function settled(
  hasEndpoint: (signal: AbortSignal) => Promise<boolean>,
): (signal: AbortSignal) => Promise<boolean> {
  let since: number | undefined;
  return async (signal) => {
    if (!(await hasEndpoint(signal))) return false;
    since ??= performance.now();
    return performance.now() - since >= endpointSettling;
  };
}
