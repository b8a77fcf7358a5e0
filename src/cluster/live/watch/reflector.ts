import { setTimeout as sleep } from "node:timers/promises";
import { nextTurn } from "../../../evaluation/yield-to-event-loop.ts";
import { defined } from "../../../text/fields.ts";
import { metadataOf, nameOf, namespaceOf, type KubernetesObject } from "../../../kubernetes/object.ts";
import { ApiError, type ApiClient } from "../api/client.ts";
import { partialMetadata } from "../api/partial-metadata.ts";
import { pagesOf } from "../api/pages.ts";
import { eventsOf } from "./watch-events.ts";

/** Sink for a reflector's objects. All calls are synchronous and in order. */
export interface ObjectSink {
  set(key: string, object: KubernetesObject): void;
  /** @param object its last state, where a watch shows it; undefined if a list lacks it */
  delete(key: string, object?: KubernetesObject): void;
  /** Keys of the stored objects: after a list, those that it lacks are deleted. */
  keys(): Iterable<string>;
  /** Runs after a complete list, and after each watch event. */
  settled(): void;
}

/** Collection to follow, with its callbacks. */
export interface ReflectorTarget {
  /** Path of the collection, `/api/v1/pods`. */
  readonly path: string;
  readonly fieldSelector?: string;
  /** Asks for metadata only: the sink gets PartialObjectMetadata. */
  readonly metadataOnly?: true;
  /** Objects per page of a list; default 500. */
  readonly pageSize?: number;
  readonly sink: ObjectSink;
  /** Runs before each list: at the start, and when versions in between may have been missed. */
  readonly onList?: () => unknown;
  readonly onState: (healthy: boolean, lastSync: number | undefined) => void;
  /** Runs once each time that the watch begins to fail, not at every attempt. */
  readonly onFailure: (error: unknown) => void;
}

/** Times in milliseconds. */
export interface ReflectorTimes {
  readonly minBackoff: number;
  readonly maxBackoff: number;
  /** Maximum silence of a watch. The API server sends a bookmark about every minute. */
  readonly stall: number;
  /** Time after which everything is listed again, whatever the watch brought. */
  readonly resync: number;
  /** Duration requested for a watch; a random part is added, so that watches do not end together. */
  readonly watch: number;
}

export const reflectorDefaults: ReflectorTimes = {
  minBackoff: 500,
  // Short: until the watch is back, this replica decides by policies that may be outdated. After a 10-second
  // restart of the API server, 30 s would prolong that needlessly.
  maxBackoff: 4_000,
  stall: 150_000,
  resync: 30 * 60_000,
  watch: 5 * 60_000,
};

/** Objects that are taken up without a pause. */
const batch = 50;

/** Objects per page of a list. */
const defaultPageSize = 500;

/** Follows a collection until it is closed. It retries after every failure. */
export interface Reflector {
  /** True after the first complete list: the sink then holds the whole collection. */
  readonly synced: () => boolean;
  readonly healthy: () => boolean;
  close(): Promise<void>;
}

/** `namespace/name`, or the name of a cluster-scoped object. */
function keyOf(object: KubernetesObject): string {
  const [namespace, name] = [namespaceOf(object, ""), nameOf(object)];
  if (name === "") throw new ApiError(0, "an object without a name");
  return namespace === "" ? name : `${namespace}/${name}`;
}

function versionOf(object: KubernetesObject): string {
  const version = metadataOf(object)["resourceVersion"];
  if (typeof version !== "string" || version === "")
    throw new ApiError(0, "an object without a resourceVersion");
  return version;
}

/** 410 Gone: the API server no longer has the version to continue from; only a list helps. */
const isExpired = (error: unknown): boolean =>
  error instanceof ApiError &&
  (error.status === 410 || error.reason === "Expired" || error.reason === "Gone");

interface Run {
  readonly client: ApiClient;
  readonly target: ReflectorTarget;
  readonly times: ReflectorTimes;
  readonly signal: AbortSignal;
  version: string | undefined;
  lastSync: number | undefined;
  lastList: number;
  healthy: boolean;
  failures: number;
}

const queryOf = (target: ReflectorTarget, more: Readonly<Record<string, string>>): string =>
  new URLSearchParams({
    ...defined({ fieldSelector: target.fieldSelector }),
    ...more,
  }).toString();

async function list({ client, target, signal }: Run): Promise<string> {
  target.onList?.();
  const missing = new Set(target.sink.keys());
  const { path, fieldSelector, metadataOnly, pageSize = defaultPageSize } = target;
  let version = "";
  for await (const page of pagesOf(
    client,
    { path, limit: pageSize, ...defined({ fieldSelector, metadataOnly }) },
    signal,
  )) {
    for (const [index, item] of page.items.entries()) {
      if (index % batch === batch - 1) await nextTurn();
      const key = keyOf(item);
      missing.delete(key);
      target.sink.set(key, item);
    }
    version = versionOf(page.list);
  }
  for (const key of missing) target.sink.delete(key);
  target.sink.settled();
  return version;
}

/** Aborts a watch that is silent for too long; `touch` restarts the time. */
function stallGuard(milliseconds: number): { readonly signal: AbortSignal; touch(): void; end(): void } {
  const controller = new AbortController();
  const timer = setTimeout(
    () => controller.abort(new ApiError(0, `the watch was silent for ${milliseconds / 1000} s`)),
    milliseconds,
  );
  return { signal: controller.signal, touch: () => timer.refresh(), end: () => clearTimeout(timer) };
}

async function watch(run: Run, from: string): Promise<void> {
  const { client, target, times } = run;
  const seconds = Math.max(1, Math.round((times.watch * (1 + Math.random())) / 1000));
  const query = queryOf(target, {
    watch: "1",
    allowWatchBookmarks: "true",
    resourceVersion: from,
    timeoutSeconds: String(seconds),
  });
  const guard = stallGuard(times.stall);
  try {
    const signal = AbortSignal.any([run.signal, guard.signal]);
    const accept = target.metadataOnly ? partialMetadata : undefined;
    const chunks = await client.stream({ path: `${target.path}?${query}`, signal, ...defined({ accept }) });
    state(run, true);
    for await (const { type, object } of eventsOf(chunks)) {
      guard.touch();
      if (type === "DELETED") target.sink.delete(keyOf(object), object);
      else if (type !== "BOOKMARK") target.sink.set(keyOf(object), object);
      run.version = versionOf(object);
      run.failures = 0;
      if (type !== "BOOKMARK") target.sink.settled();
    }
  } catch (error) {
    guard.signal.throwIfAborted();
    throw error;
  } finally {
    guard.end();
  }
}

function state(run: Run, healthy: boolean): void {
  const changed = run.healthy !== healthy;
  run.healthy = healthy;
  if (changed) run.target.onState(healthy, run.lastSync);
}

/** Exponential backoff; half of it is random, so that replicas do not return together. */
function backoff({ times, failures }: Run): number {
  const full = Math.min(times.maxBackoff, times.minBackoff * 2 ** Math.min(failures - 1, 16));
  return full * (0.5 + Math.random() / 2);
}

async function step(run: Run): Promise<void> {
  if (run.version === undefined || Date.now() - run.lastList > run.times.resync) {
    run.version = await list(run);
    run.lastList = Date.now();
    run.lastSync = run.lastList;
    run.healthy = true;
    run.target.onState(true, run.lastSync);
  }
  const began = performance.now();
  await watch(run, run.version);
  run.lastSync = Date.now();
  if (performance.now() - began >= shortWatch) {
    run.failures = 0;
    return;
  }
  // A watch that always ends at once must not become a busy loop.
  run.failures += 1;
  await pause(run);
}

/** Milliseconds; a watch that ends sooner did not end by its time-out. */
const shortWatch = 1000;

const stopped = ({ signal }: Run): boolean => signal.aborted;

const pause = (run: Run): Promise<void> =>
  sleep(backoff(run), undefined, { signal: run.signal }).catch(() => undefined);

async function follow(run: Run): Promise<void> {
  while (!run.signal.aborted) {
    try {
      await step(run);
    } catch (error) {
      if (stopped(run)) return;
      run.failures += 1;
      if (isExpired(error)) run.version = undefined;
      // One expired version after a quiet time is normal; a second in a row is a failure.
      if (!isExpired(error) || run.failures > 1) {
        if (run.healthy || run.failures === 1) run.target.onFailure(error);
        state(run, false);
      }
      await pause(run);
    }
  }
}

/** Lists a collection and follows its changes until `close`. */
export function startReflector(
  client: ApiClient,
  target: ReflectorTarget,
  times: ReflectorTimes = reflectorDefaults,
): Reflector {
  const controller = new AbortController();
  const run: Run = {
    client,
    target,
    times,
    signal: controller.signal,
    version: undefined,
    lastSync: undefined,
    lastList: 0,
    healthy: false,
    failures: 0,
  };
  const ended = follow(run);
  return {
    synced: () => run.lastSync !== undefined,
    healthy: () => run.healthy,
    close: async () => {
      controller.abort();
      await ended;
    },
  };
}
