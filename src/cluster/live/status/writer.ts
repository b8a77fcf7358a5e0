import { isDeepStrictEqual } from "node:util";
import { setTimeout as sleep } from "node:timers/promises";
import type { CompiledSnapshot } from "../../../policy/compile/snapshot.ts";
import {
  collectionPath,
  ownKinds,
  type OwnKind,
  type PolicyObjects,
} from "../../../policy/resource/kinds.ts";
import type { KubernetesObject } from "../../../kubernetes/object.ts";
import type { ClusterHooks } from "../../cluster.ts";
import { ApiError, messageOf, type ApiClient } from "../api/client.ts";
import type { Leadership } from "../leader/leadership.ts";
import { statusOf, type Status } from "./conditions.ts";

/** Writes what became of policies, trust roots and revocation lists where `kubectl get` shows it. */
export interface StatusWriter {
  /**
   * Tells the present state; returns at once. Whoever leads, or comes to lead later, writes what differs from what the
   * objects' status says.
   */
  update(objects: PolicyObjects, compiled: CompiledSnapshot): void;
  close(): Promise<void>;
}

/** Milliseconds between two writes: a hundred policies that change together take some seconds, and the API server rests. */
const writeInterval = 50;
const requestTimeout = 10_000;

interface Metadata {
  readonly name: string;
  readonly resourceVersion?: string;
}

interface Write {
  readonly path: string;
  readonly resourceVersion: string | undefined;
  readonly status: Readonly<Record<string, unknown>>;
}

/** A merge patch keeps what it does not name: what is to go must be named. */
const replacing = (before: unknown, status: Status): Write["status"] => ({
  ...Object.fromEntries(Object.keys(before ?? {}).map((key) => [key, null])),
  ...status,
});

/** Statuses that wait to be written, one after the other; a newer state of an object replaces one that waits. */
class StatusQueue {
  readonly #client: ApiClient;
  readonly #hooks: ClusterHooks;
  readonly #leadership: Leadership;
  readonly #stop = new AbortController();
  readonly #waiting = new Map<string, Write>();
  #draining: Promise<void> | undefined;
  #failing = false;

  constructor(client: ApiClient, hooks: ClusterHooks, leadership: Leadership) {
    this.#client = client;
    this.#hooks = hooks;
    this.#leadership = leadership;
  }

  consider(kind: OwnKind, object: KubernetesObject, compiled: CompiledSnapshot): void {
    const metadata = object.metadata as Metadata;
    const path = `${collectionPath(kind)}/${encodeURIComponent(metadata.name)}/status`;
    const status = statusOf(kind, object, compiled, Date.now());
    if (isDeepStrictEqual(object["status"], status)) this.#waiting.delete(path);
    else {
      const patch = replacing(object["status"], status);
      this.#waiting.set(path, { path, resourceVersion: metadata.resourceVersion, status: patch });
    }
  }

  start(): void {
    this.#draining ??= this.#drain().finally(() => (this.#draining = undefined));
  }

  async close(): Promise<void> {
    this.#stop.abort();
    await this.#draining;
  }

  async #drain(): Promise<void> {
    const { signal } = this.#stop;
    for (
      let next = this.#waiting.entries().next();
      !next.done && !signal.aborted;
      next = this.#waiting.entries().next()
    ) {
      const leadingSignal = this.#leadership.leadingSignal();
      if (leadingSignal === undefined) {
        // Whoever leads now works it out anew, from a newer state than this.
        this.#waiting.clear();
        return;
      }
      const [path, write] = next.value;
      this.#waiting.delete(path);
      await this.#write(write, AbortSignal.any([signal, leadingSignal]));
      await sleep(writeInterval, undefined, { signal }).catch(() => undefined);
    }
  }

  async #write({ path, resourceVersion, status }: Write, signal: AbortSignal): Promise<void> {
    try {
      await this.#client.call({
        method: "PATCH",
        path,
        contentType: "application/merge-patch+json",
        // With the version: a status that was worked out from an older state of the object is refused.
        body: { metadata: { resourceVersion }, status },
        signal: AbortSignal.any([signal, AbortSignal.timeout(requestTimeout)]),
      });
      this.#failing = false;
    } catch (error) {
      // Changed (409) or gone (404) meanwhile: the watch brings the newer state, and with it the next update.
      if (signal.aborted || (error instanceof ApiError && (error.status === 409 || error.status === 404)))
        return;
      if (!this.#failing) this.#hooks.onProblem(`status is not written: ${messageOf(error)}`);
      this.#failing = true;
    }
  }
}

/** Writes statuses while we lead. */
export function createStatusWriter(
  client: ApiClient,
  hooks: ClusterHooks,
  leadership: Leadership,
): StatusWriter {
  const queue = new StatusQueue(client, hooks, leadership);
  let latest: Parameters<StatusWriter["update"]> | undefined;
  const update = (...state: Parameters<StatusWriter["update"]>): void => {
    latest = state;
    if (leadership.leadingSignal() === undefined) return;
    const [objects, compiled] = state;
    for (const kind of ownKinds) {
      for (const object of objects[kind]) queue.consider(kind, object, compiled);
    }
    queue.start();
  };
  leadership.onChange(() => {
    if (latest !== undefined) update(...latest);
  });
  return { update, close: () => queue.close() };
}
