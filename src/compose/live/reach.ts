import { createApiClient, type ApiClient } from "../../cluster/live/api/client.ts";
import { createCertificateSecret } from "../../cluster/live/api/certificate-secret.ts";
import { connectByKubeconfig, connectInCluster } from "../../cluster/live/api/connection.ts";
import { hasReadyEndpoint, readNamespace } from "../../cluster/live/registration/installation.ts";
import type { WebhookOptions } from "../../cluster/live/registration/webhook-configuration.ts";
import type { ClusterMode } from "../../config.ts";
import { createMemoryStore, type CertificateStore } from "../../server/certificates/store.ts";

export type LiveMode = Exclude<ClusterMode, { readonly kind: "offline" }>;

/** Connections from the webhook to the API server and back. */
export interface Reach {
  readonly client: ApiClient;
  /** DNS names and addresses under which callers reach the webhook. */
  readonly names: readonly string[];
  readonly address: WebhookOptions["address"];
  readonly store: CertificateStore;
  /** The Service in front of the replicas; absent for a process beside the cluster. */
  readonly service?: {
    /** Namespace that owns the registration. */
    readonly owner: (signal: AbortSignal) => Promise<NonNullable<WebhookOptions["owner"]>>;
    /** True once the Service leads to a replica. */
    readonly reachable: (signal: AbortSignal) => Promise<boolean>;
  };
}

/** Secret in the controller's namespace with the webhook's certificates, shared by all replicas. */
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

/**
 * Milliseconds from the first ready endpoint until every API server knows of it; kube-proxy batches changes for a
 * second.
 */
const endpointSettling = 2_000;

/**
 * True once the Service has had a ready endpoint for a while. An earlier registration would block the cluster until
 * the kubelet has probed readiness; afterwards a missing registration is restored at once.
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
