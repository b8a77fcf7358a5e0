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

/** Whose webhook is to be unregistered. */
export interface UnregisterTarget {
  /** Where the installation is. */
  readonly namespace: string;
  readonly service: string;
  readonly lease: string;
}

/** What became of it. */
export interface Unregistered {
  /** Is the registration gone, and did it stay so. */
  readonly gone: boolean;
  /** Was there one. */
  readonly found: boolean;
  /** Will running replicas leave it so; otherwise why they could not be told. */
  readonly marked: true | string;
  /** Why it is not gone. */
  readonly problem?: string;
}

/** Milliseconds. */
export interface UnregisterTimes {
  /** Between two looks. */
  readonly poll: number;
  /** So long it has to stay away: a leader that had begun to write is done by then, and every API server has heard of it. */
  readonly settle: number;
  /** One request. */
  readonly request: number;
}

const unregisterDefaults: UnregisterTimes = { poll: 250, settle: 3_000, request: 5_000 };

/** An API server, and how to leave it. */
export interface UnregisterConnection {
  readonly server: string;
  readonly client: ApiClient;
}

/**
 * Connects as the pod that we are, or by a kubeconfig.
 * @throws Error where there is none
 */
export async function connectToUnregister(
  by: InClusterOptions | { readonly kubeconfig: string | undefined },
): Promise<UnregisterConnection> {
  const connection: Connection =
    "host" in by ? connectInCluster(by) : await connectByKubeconfig(by.kubeconfig);
  return { server: connection.server, client: createApiClient(connection) };
}

/** Rounds of reading and writing the Lease: a leader writes it every other second. */
const maxRounds = 10;

/** Marks the Lease, so that no replica of this installation registers again. Says why where that is not possible. */
async function mark(
  client: ApiClient,
  store: LeaseStore,
  { namespace, service, lease }: UnregisterTarget,
  limited: () => AbortSignal,
): Promise<true | string> {
  try {
    const unregistered = await readInstallation(client, namespace, service, limited());
    for (let round = 0; round < maxRounds; round += 1) {
      const stored = await store.read(limited());
      // Without Service and Lease nothing of ours runs here, and nothing needs to be left behind.
      if (stored === undefined && unregistered === withoutService) return true;
      const record = stored?.record ?? { holder: "", durationSeconds: 1, transitions: 0 };
      if (record.unregistered === unregistered) return true;
      if ((await store.write({ ...record, unregistered }, stored, limited())) !== undefined) return true;
    }
    return `the Lease ${namespace}/${lease} changed again and again`;
  } catch (error) {
    // Without the namespace there is no replica either.
    if (error instanceof ApiError && error.status === 404) return true;
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
 * Takes the webhook out of the API server's way: tells running replicas by a mark on their Lease to leave it so, then
 * deletes the registration, as often as it comes back, until it has stayed away for a while. What it comes to is the
 * same however often it is done. Takes no longer than `signal` lets it.
 */
export async function unregister(
  client: ApiClient,
  target: UnregisterTarget,
  signal: AbortSignal,
  times: UnregisterTimes = unregisterDefaults,
): Promise<Unregistered> {
  const limited = (): AbortSignal => AbortSignal.any([signal, AbortSignal.timeout(times.request)]);
  const store = createLeaseStore(client, target.namespace, target.lease);
  // Whatever becomes of the mark: the registration is what is in the way.
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
