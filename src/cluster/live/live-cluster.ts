import { SourceError } from "../../skill/source-error.ts";
import {
  collectionPath,
  group,
  ownKinds,
  ownResources,
  type OwnPlural,
} from "../../policy/resource/kinds.ts";
import type { Cluster, ClusterHooks, MirrorSource, WatchedResource } from "../cluster.ts";
import { ConfigMapHolders } from "../config-map-holders.ts";
import { PodStore } from "../pod-store.ts";
import { ApiError, messageOf, type ApiClient } from "./api/client.ts";
import type { LabelSelector } from "../../kubernetes/label-selector.ts";
import type { Labels } from "../../kubernetes/object.ts";
import { readNamespaceLabels } from "./api/namespace-labels.ts";
import { namespaceSink } from "./watch/namespace-sink.ts";
import { PolicyState } from "./watch/policy-state.ts";
import {
  reflectorDefaults,
  startReflector,
  type ObjectSink,
  type Reflector,
  type ReflectorTimes,
} from "./watch/reflector.ts";
import { createReferencedObjects } from "./watch/referenced-objects.ts";
import { referencesOf } from "./watch/references.ts";
import { createServedSchemas } from "./watch/served-schemas.ts";
import type { StatusWriter } from "./status/writer.ts";
import { readStoredPod } from "./api/stored-pod.ts";
import { createVolumeObjectSource, type SourceHooks } from "./api/volume-object-source.ts";
import { createExpectedChanges } from "./expected-changes.ts";
import { createSettling } from "./settling.ts";

export interface LiveClusterOptions {
  readonly client: ApiClient;
  readonly hooks: ClusterHooks & SourceHooks;
  /** Writes the status of policies and trust roots; absent without permission. */
  readonly status?: StatusWriter;
  /** Maximum bytes of cached decoded ConfigMaps; default 16 MiB. */
  readonly cacheBytes?: number;
  /** The controller's own namespace, which holds the objects that trust roots refer to; absent if not known. */
  readonly namespace?: string;
  readonly mirrors?: MirrorSource;
  /** No policy applies to other namespaces; absent: policies alone say where. */
  readonly within?: LabelSelector;
  readonly times?: ReflectorTimes;
  /** Seconds that the API server waits for a review. */
  readonly timeoutSeconds: number;
}

/**
 * Milliseconds from the review of a change until it is stored, at most: on a quiet machine a write of 1 MiB takes some 20,
 * on one that is short of processors by ten times up to 200. A fifth of a review's time where that is less. The log calls
 * a review of a second slow.
 */
const settlingOf = ({ timeoutSeconds }: LiveClusterOptions): number => Math.min(900, timeoutSeconds * 200);

/** The cluster through watches and consistent reads. */
export interface LiveCluster extends Cluster {
  /** Resolves after the first complete list of everything; rejects if the signal aborts before. */
  synced(signal: AbortSignal): Promise<void>;
}

type Watched = Exclude<
  WatchedResource,
  "validatingwebhookconfigurations" | "customresourcedefinitions" | "configmaps" | "secrets"
>;

const paths: Readonly<Record<Watched, string>> = {
  ...(Object.fromEntries(ownKinds.map((kind) => [ownResources[kind].plural, collectionPath(kind)])) as Record<
    OwnPlural,
    string
  >),
  namespaces: "/api/v1/namespaces",
  pods: "/api/v1/pods",
};

function podSink(pods: PodStore, holders: ConfigMapHolders, hooks: ClusterHooks): ObjectSink {
  let leftOut: number | undefined;
  const settled = (): void => {
    if (pods.leftOut === leftOut) return;
    leftOut = pods.leftOut;
    hooks.onPodsLeftOut?.(leftOut);
    if (leftOut > 0)
      hooks.onProblem(
        `no memory is left for ${leftOut} pods, and ConfigMaps of their namespaces cannot be changed in mode Enforce; look for pods with thousands of mounts or items, and delete them`,
      );
  };
  return {
    set: (key, object) => {
      try {
        const namespace = key.split("/")[0] ?? "";
        pods.set(key, object, namespace);
        holders.set(key, object, namespace);
      } catch (error) {
        // The API server validated the pod; one that this version does not understand cannot be watched.
        hooks.onProblem(`Pod ${key} is not watched: ${messageOf(error)}`);
      }
    },
    delete: (key) => {
      pods.delete(key, holders.delete(key));
    },
    keys: () => new Set([...pods.keys(), ...holders.keys()]).values(),
    settled,
  };
}

/** Describes a failing watch, with the remedy. */
function failureOf(resource: WatchedResource, error: unknown): string {
  if (error instanceof ApiError && error.status === 404)
    return `the API server knows no ${resource}.${group}: install the CustomResourceDefinitions (kubectl apply -f manifests/crds)`;
  if (error instanceof ApiError && error.status === 403)
    return `${resource} may not be watched: ${messageOf(error)}; give the controller's ServiceAccount its ClusterRole`;
  return `${resource} are not watched: ${messageOf(error)}; what was known before stays in force`;
}

/** All watches and their failures. */
class Watches {
  readonly failures = new Map<Watched, string>();
  readonly #reflectors = new Map<Watched, Reflector>();
  readonly #options: LiveClusterOptions;
  readonly #changed: () => void;

  constructor(options: LiveClusterOptions, changed: () => void) {
    this.#options = options;
    this.#changed = changed;
  }

  start(resource: Watched, sink: ObjectSink): void {
    const { client, hooks, times = reflectorDefaults } = this.#options;
    const target = {
      path: paths[resource],
      sink,
      onState: (healthy: boolean, lastSync: number | undefined) => {
        if (healthy) this.failures.delete(resource);
        hooks.onWatchState?.(resource, healthy, lastSync);
        this.#changed();
      },
      onFailure: (error: unknown) => {
        const message = failureOf(resource, error);
        this.failures.set(resource, message);
        hooks.onProblem(message);
      },
    };
    // Reports each watch at the start: one that never comes up would otherwise stay unknown.
    hooks.onWatchState?.(resource, false, undefined);
    // By another CustomResourceDefinition the same version of an object looks otherwise, and the API server ends the watches:
    // what they brought at last may be by the one before.
    const own = ownKinds.some((kind) => ownResources[kind].plural === resource);
    this.#reflectors.set(resource, startReflector(client, target, own ? { ...times, resync: 0 } : times));
  }

  synced(resource: Watched): boolean {
    return this.#reflectors.get(resource)?.synced() === true;
  }

  /** A sentence for each watch without a complete list. */
  missing(): readonly string[] {
    return [...this.#reflectors.keys()]
      .filter((resource) => !this.synced(resource))
      .map((resource) => this.failures.get(resource) ?? `${resource} are not listed yet`);
  }

  async close(): Promise<void> {
    await Promise.all([...this.#reflectors.values()].map((reflector) => reflector.close()));
  }
}

/** Policies with everything that they are compiled from: their kinds, served schemas, and what trust roots refer to. */
function startPolicies(options: LiveClusterOptions, watches: Watches, changed: () => void) {
  const { client, hooks, mirrors, times } = options;
  const namespaces = new Map<string, Labels>();
  const objects = createReferencedObjects({
    client,
    hooks,
    namespace: options.namespace,
    times,
    changed: () => state.surroundingsChanged(),
  });
  const schemas = createServedSchemas({
    client,
    hooks,
    times,
    changed: () => {
      state.surroundingsChanged();
      changed();
    },
  });
  const state: PolicyState = new PolicyState({
    hooks,
    status: options.status,
    ready: () =>
      schemas.missing().length === 0 && ownKinds.every((kind) => watches.synced(ownResources[kind].plural)),
    schemas,
    references: referencesOf(objects, mirrors),
    within: options.within,
    namespaces: () => namespaces,
  });
  mirrors?.onChange(() => state.surroundingsChanged());
  for (const kind of ownKinds) watches.start(ownResources[kind].plural, state.sinkFor(kind));
  watches.start(
    "namespaces",
    namespaceSink(namespaces, hooks, () => state.compiled?.policies ?? []),
  );
  return { state, namespaces, schemas, objects };
}

/**
 * Opens the cluster: starts the watches and returns at once. Until policies, trust roots, revocation lists and pods
 * are listed, reviews fail with SOURCE_UNAVAILABLE, never with an empty answer. A watch that fails later leaves the
 * known state in force and is reported through the hooks; readiness stays, since an unready webhook would block the
 * cluster and help nobody.
 */
export function openLiveCluster(options: LiveClusterOptions): LiveCluster {
  const { client, hooks } = options;
  const waiting = new Set<() => void>();
  const pods = new PodStore();
  const holders = new ConfigMapHolders();
  const wakeAll = (): void => {
    for (const wake of waiting) setImmediate(wake);
  };
  const watches = new Watches(options, wakeAll);
  const { state, namespaces, schemas, objects } = startPolicies(options, watches, wakeAll);
  watches.start("pods", podSink(pods, holders, hooks));
  const missing = (): readonly string[] => [
    ...watches.missing(),
    ...schemas.missing(),
    ...(state.compiled === undefined ? ["policies are not compiled yet"] : []),
  ];
  const refuse = (what: string): never => {
    throw new SourceError("SOURCE_UNAVAILABLE", `${what} are not known yet: ${missing().join("; ")}`);
  };
  return {
    ...createExpectedChanges(createVolumeObjectSource(client, options.cacheBytes, hooks)),
    namespaceLabels: async (name, signal) =>
      namespaces.get(name) ?? (await readNamespaceLabels(client, name, signal)),
    current: () => state.compiled ?? refuse("policies"),
    storedPod: (namespace, name, signal) => readStoredPod(client, namespace, name, signal),
    settling: createSettling(settlingOf(options)),
    podsUsing: (ref) => (watches.synced("pods") ? pods.using(ref) : refuse("pods")),
    podsGone: (ref) => (watches.synced("pods") ? pods.gone(ref) : refuse("pods")),
    holders: (ref) => (watches.synced("pods") ? holders.of(ref) : refuse("pods")),
    expectPod: (pod, namespace) => pods.expect(pod, namespace),
    readiness: missing,
    synced: (signal) => whenSynced(() => missing().length === 0, waiting, signal),
    close: async () => {
      await watches.close();
      await objects.close();
      await schemas.close();
      await options.status?.close();
      client.close();
    },
  };
}

async function whenSynced(
  synced: () => boolean,
  waiting: Set<() => void>,
  signal: AbortSignal,
): Promise<void> {
  while (!synced()) {
    signal.throwIfAborted();
    await new Promise<void>((resolve) => {
      const wake = () => {
        waiting.delete(wake);
        signal.removeEventListener("abort", wake);
        resolve();
      };
      waiting.add(wake);
      signal.addEventListener("abort", wake);
    });
  }
}
