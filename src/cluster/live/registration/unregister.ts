import { setTimeout as sleep } from "node:timers/promises";
import { ApiError, createApiClient, messageOf, type ApiClient } from "../api/client.ts";
import {
  connectByKubeconfig,
  connectInCluster,
  type Connection,
  type InClusterOptions,
} from "../api/connection.ts";
import { readInstallation, withoutService } from "./installation.ts";
import { createLeaseStore, type LeaseStore } from "../leader/lease.ts";
import { webhookConfigurationName } from "./webhook-configuration.ts";
import { webhookConfigurations } from "./apply.ts";

export interface UnregisterTarget {
  /** Namespace of the installation. */
  readonly namespace: string;
  readonly service: string;
  readonly lease: string;
}

/** Result of unregistering. */
export interface Unregistered {
  /** The registration is gone, and stayed so. */
  readonly gone: boolean;
  /** There was a registration. */
  readonly found: boolean;
  /** true: running replicas will not register again; false: no installation is there; otherwise the reason why they may. */
  readonly marked: boolean | string;
  /** Reason why it is not gone. */
  readonly problem?: string;
}

/** Times in milliseconds. */
export interface UnregisterTimes {
  /** Interval between two checks. */
  readonly poll: number;
  /**
   * Time for which it must stay away: until then a leader's unfinished write is done, and every API server knows.
   */
  readonly settle: number;
  /** Limit of one request. */
  readonly request: number;
}

const unregisterDefaults: UnregisterTimes = { poll: 250, settle: 3_000, request: 5_000 };

/** A client of the API server, with its end. */
export interface UnregisterConnection {
  readonly server: string;
  readonly client: ApiClient;
}

/**
 * Connects as this pod, or by a kubeconfig.
 * @throws Error if there is neither
 */
export async function connectToUnregister(
  by: InClusterOptions | { readonly kubeconfig: string | undefined },
): Promise<UnregisterConnection> {
  const connection: Connection =
    "host" in by ? connectInCluster(by) : await connectByKubeconfig(by.kubeconfig);
  return { server: connection.server, client: createApiClient(connection) };
}

/** Maximum attempts to update the Lease: a leader writes it every two seconds. */
const maxRounds = 10;

/** Marks the Lease, so that no replica of this installation registers again; false without an installation, else the reason. */
async function mark(
  client: ApiClient,
  store: LeaseStore,
  { namespace, service, lease }: UnregisterTarget,
  limited: () => AbortSignal,
): Promise<boolean | string> {
  try {
    const unregistered = await readInstallation(client, namespace, service, limited());
    for (let round = 0; round < maxRounds; round += 1) {
      const stored = await store.read(limited());
      // Without Service and Lease no replica runs, and no mark is needed.
      if (stored === undefined && unregistered === withoutService) return false;
      const record = stored?.record ?? { holder: "", durationSeconds: 1, transitions: 0 };
      if (record.unregistered === unregistered) return true;
      if ((await store.write({ ...record, unregistered }, stored, limited())) !== undefined) return true;
    }
    return `the Lease ${namespace}/${lease} changed again and again`;
  } catch (error) {
    // Without the namespace there is no replica either.
    if (error instanceof ApiError && error.status === 404) return false;
    return messageOf(error);
  }
}

const path = `${webhookConfigurations}/${webhookConfigurationName}`;

async function remove(client: ApiClient, signal: AbortSignal): Promise<boolean> {
  try {
    await client.call({ method: "DELETE", path, signal });
    return true;
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return false;
    throw error;
  }
}

/**
 * Unregisters the webhook: tells running replicas by a mark on their Lease, then deletes the registration,
 * repeatedly, until it has stayed away for a while. Idempotent. Takes no longer than `signal` allows.
 */
export async function unregister(
  client: ApiClient,
  target: UnregisterTarget,
  signal: AbortSignal,
  times: UnregisterTimes = unregisterDefaults,
): Promise<Unregistered> {
  const limited = (): AbortSignal => AbortSignal.any([signal, AbortSignal.timeout(times.request)]);
  const store = createLeaseStore(client, target.namespace, target.lease);
  // Continues even without the mark: the registration is what blocks the cluster.
  const marked = await mark(client, store, target, limited);
  let found = false;
  let problem: string | undefined;
  let awaySince: number | undefined;
  while (!signal.aborted) {
    try {
      const removed = await remove(client, limited());
      found ||= removed;
      const now = performance.now();
      awaySince = removed ? now : (awaySince ?? now);
      problem = removed ? "something registers it again and again" : undefined;
      if (now - awaySince >= times.settle) return { gone: true, found, marked };
    } catch (error) {
      awaySince = undefined;
      problem = messageOf(error);
      if (error instanceof ApiError && error.status === 403) break;
    }
    await sleep(times.poll, undefined, { signal }).catch(() => undefined);
  }
  return { gone: false, found, marked, problem: problem ?? "there was no time to see whether it stays away" };
}
