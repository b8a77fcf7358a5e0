import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import type { ClusterHooks } from "../../cluster/cluster.ts";
import { messageOf, type ApiClient } from "../../cluster/live/api/client.ts";
import { createCandidate } from "../../cluster/live/leader/election.ts";
import { soleLeader, type Leadership } from "../../cluster/live/leader/leadership.ts";
import { createLeaseStore } from "../../cluster/live/leader/lease.ts";
import type { Config } from "../../config.ts";
import type { Log } from "../../telemetry/log.ts";

/** Leader election by Lease among replicas; outside a cluster, a process without a Lease runs by itself. */
export function leadershipOf(
  { lease }: Pick<Config, "lease">,
  client: ApiClient,
  { hooks, log }: { readonly hooks: ClusterHooks; readonly log: Log },
): Leadership {
  if (lease === undefined) return soleLeader();
  const { namespace, name, times } = lease;
  const identity = `${hostname()}_${randomUUID()}`;
  const leadership = createCandidate({
    store: createLeaseStore(client, namespace, name),
    identity,
    ...(times && { times }),
    clock: {
      monotonic: () => performance.now(),
      now: () => Date.now(),
      sleep: (milliseconds, signal) => sleep(milliseconds, undefined, { signal }).catch(() => undefined),
      random: () => Math.random(),
    },
    onProblem: (error) =>
      hooks.onProblem(
        `the Lease ${namespace}/${name} cannot be kept, so others may lead: ${messageOf(error)}`,
      ),
  });
  let led = false;
  leadership.onChange(() => {
    const leads = leadership.leadingSignal() !== undefined;
    if (leads !== led) log.info(leads ? "leading" : "no longer leading", { identity });
    led = leads;
  });
  return leadership;
}
