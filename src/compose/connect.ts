import type { Cluster, ClusterHooks } from "../cluster/cluster.ts";
import { soleLeader, type Leadership } from "../cluster/live/leadership.ts";
import type { SourceHooks } from "../cluster/live/volume-object-source.ts";
import type { Config } from "../config.ts";
import type { CertificateSource } from "../server/certificates/certificate-source.ts";
import { createMemoryStore, type CertificateStore } from "../server/certificates/store.ts";
import type { Telemetry } from "../telemetry/telemetry.ts";

/** Keeps the API server told where the webhook is. */
export interface Registration {
  /** Why reviews would not reach us, where that is for this process alone to change. */
  readonly readiness: () => readonly string[];
  /** Is the webhook registered as this replica would register it. */
  readonly registered: () => boolean;
  /** Does the API server trust these authorities, PEM. */
  readonly published: (caBundle: string) => boolean;
  readonly refresh: () => Promise<void>;
  readonly close: () => Promise<void>;
}

/** The cluster of one mode, with what only that mode has. */
export interface Connected {
  readonly cluster: Cluster;
  readonly store: CertificateStore;
  /** DNS names and addresses under which callers reach the webhook. */
  readonly names: readonly string[];
  /** Who writes status, certificates and the registration. */
  readonly leadership: Leadership;
  /** Absent without a cluster. */
  readonly register?: (certificates: CertificateSource) => Registration;
}

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
  if (config.cluster.kind !== "offline") {
    const { connectLive } = await import("./connect-live.ts");
    return connectLive(config, config.cluster, { hooks, log: telemetry.log });
  }
  const { openOfflineCluster } = await import("../cluster/offline/offline-cluster.ts");
  return {
    cluster: await openOfflineCluster(config.cluster.state, hooks),
    store: createMemoryStore(),
    names: ["localhost", "127.0.0.1", "::1", ...usable(config.address)],
    leadership: soleLeader(),
  };
}

/** An address that callers can use as it is; "any" is none, and loopback is always there. */
const usable = (address: string): readonly string[] =>
  ["0.0.0.0", "::", "127.0.0.1", "::1"].includes(address) ? [] : [address];
