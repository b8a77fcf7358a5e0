import { defined } from "../../text/fields.ts";
import type { ClusterHooks } from "../../cluster/cluster.ts";
import type { SourceHooks } from "../../cluster/live/api/volume-object-source.ts";
import {
  createEventWriter,
  eventLimits,
  storedEventLimits,
  type EventDrop,
  type EventLimits,
} from "../../cluster/live/events/writer.ts";
import { openLiveCluster } from "../../cluster/live/live-cluster.ts";
import { exemptNamespaces } from "../../cluster/live/registration/scope.ts";
import { createStatusWriter } from "../../cluster/live/status/writer.ts";
import type { Config } from "../../config.ts";
import type { Log } from "../../telemetry/log.ts";
import type { Connected, Registration } from "../connected.ts";
import { closing, type openMirrors } from "../mirrors.ts";
import { leadershipOf } from "./leadership.ts";
import { reachOf, type LiveMode } from "./reach.ts";
import { startRecheck, type RunningRecheck } from "./recheck.ts";
import { registrationOf, scopeIn } from "./registration.ts";

interface LiveDeps {
  readonly hooks: ClusterHooks & SourceHooks;
  readonly mirrors: Awaited<ReturnType<typeof openMirrors>>;
  readonly log: Log;
  readonly onEventDropped: (why: EventDrop) => void;
}

/**
 * Opens the cluster that a pod runs in, or that a kubeconfig names.
 * @throws Error where a kubeconfig or credential cannot be used, in words
 */
export async function connectLive(config: Config, mode: LiveMode, deps: LiveDeps): Promise<Connected> {
  const { hooks, mirrors } = deps;
  const reach = await reachOf(mode);
  const { client, store, names } = reach;
  const leadership = leadershipOf(config, client, deps);
  const status = createStatusWriter(client, hooks, leadership);
  let recheck: RunningRecheck | undefined;
  let registration: Registration | undefined;
  const cluster = openLiveCluster({
    client,
    hooks: {
      ...hooks,
      onPolicies: (snapshot) => {
        hooks.onPolicies?.(snapshot);
        // What is registered follows the policies.
        void registration?.refresh();
        recheck?.policiesChanged();
      },
      onNamespaceLabels: (name) => recheck?.namespaceChanged(name),
    },
    status,
    mirrors,
    timeoutSeconds: config.timeoutSeconds,
    ...defined({ namespace: config.namespace, within: config.namespaceSelector }),
  });
  const exempt = new Set(exemptNamespaces(scopeIn(config)));
  const events = (limits: EventLimits) =>
    createEventWriter({
      client,
      onProblem: hooks.onProblem,
      onDropped: deps.onEventDropped,
      exempt,
      limits,
    });
  // Of their own: however much is denied, what got in is told.
  const storedEvents = config.events ? { events: events(storedEventLimits) } : {};
  return {
    cluster: closing(cluster, mirrors),
    store,
    names,
    leadership,
    ...(config.events ? { events: events(eventLimits) } : {}),
    recheck: (measured, telemetry) => {
      const review = { ...measured, cluster, policies: cluster, source: cluster };
      const parts = { client, leadership, status, exempt, ...storedEvents };
      const started = startRecheck(parts, review, telemetry);
      recheck = started;
      return {
        close: async () => {
          await started.close();
          await storedEvents.events?.close();
        },
      };
    },
    register: (certificates) => {
      const parts = { ...deps, leadership, certificates, policies: cluster, status };
      return (registration = registrationOf(config, reach, parts));
    },
  };
}
