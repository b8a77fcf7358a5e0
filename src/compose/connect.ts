import type { ClusterHooks } from "../cluster/cluster.ts";
import { soleLeader } from "../cluster/live/leader/leadership.ts";
import type { SourceHooks } from "../cluster/live/api/volume-object-source.ts";
import type { Config } from "../config.ts";
import { createMemoryStore } from "../server/certificates/store.ts";
import type { Telemetry } from "../telemetry/telemetry.ts";
import { changeRecords } from "./change-records.ts";
import type { Connected } from "./connected.ts";
import { closing, openMirrors } from "./mirrors.ts";

function hooksOf(telemetry: Telemetry): ClusterHooks & SourceHooks {
  const { log, metrics } = telemetry;
  return {
    ...changeRecords(telemetry),
    onProblem: (message) => log.warn(message),
    onPolicies: ({ policies, expiries }) => {
      metrics.setPolicies(policies);
      metrics.setTrust(expiries);
    },
    onWatchState: (resource, healthy) => {
      metrics.setWatch(resource, healthy);
      log.debug("watch", { resource, healthy });
    },
    onRepair: () => metrics.observeRepair(),
    onAnswered: (answered) => metrics.setAnswered(answered),
    onBreakGlass: (namespaces) => metrics.setBreakGlass(namespaces),
    onPodsLeftOut: (pods) => metrics.setPodsLeftOut(pods),
    onCache: (result) => metrics.observeCache("objects", result),
  };
}

/**
 * Opens the cluster that the configuration names. Code of the other modes is not loaded.
 * @throws Error where a folder, kubeconfig or credential cannot be used, in words
 */
export async function connect(config: Config, telemetry: Telemetry): Promise<Connected> {
  const mirrors = await openMirrors(config, telemetry);
  try {
    return await open(config, telemetry, mirrors);
  } catch (error) {
    await mirrors.close();
    throw error;
  }
}

async function open(
  config: Config,
  telemetry: Telemetry,
  mirrors: Awaited<ReturnType<typeof openMirrors>>,
): Promise<Connected> {
  const hooks = hooksOf(telemetry);
  if (config.cluster.kind !== "offline") {
    const { connectLive } = await import("./live/connect-live.ts");
    return connectLive(config, config.cluster, {
      hooks,
      mirrors,
      log: telemetry.log,
      onEventDropped: (why) => telemetry.metrics.observeEventDropped(why),
    });
  }
  const { openOfflineCluster } = await import("../cluster/offline/offline-cluster.ts");
  const { namespace } = config;
  return {
    cluster: closing(await openOfflineCluster(config.cluster.state, { hooks, namespace, mirrors }), mirrors),
    store: createMemoryStore(),
    names: ["localhost", "127.0.0.1", "::1", ...usable(config.address)],
    leadership: soleLeader(),
  };
}

/** Address that callers can connect to: the wildcard is none, and loopback is always named. */
const usable = (address: string): readonly string[] =>
  ["0.0.0.0", "::", "127.0.0.1", "::1"].includes(address) ? [] : [address];
