import { isDeepStrictEqual } from "node:util";
import { setTimeout as sleep } from "node:timers/promises";
import type { CompiledSnapshot } from "../../../policy/compile/snapshot.ts";
import {
  collectionPath,
  ownKinds,
  type OwnKind,
  type PolicyObjects,
} from "../../../policy/resource/kinds.ts";
import { metadataOf, nameOf, type KubernetesObject } from "../../../kubernetes/object.ts";
import type { Mark } from "../../../policy/trust/usage.ts";
import type { Standing } from "../../../recheck/ports.ts";
import { defined } from "../../../text/fields.ts";
import type { ClusterHooks } from "../../cluster.ts";
import { ApiError, messageOf, type ApiClient } from "../api/client.ts";
import type { Leadership } from "../leader/leadership.ts";
import { statusOf, type PolicyStanding, type Status, type StatusSource } from "./conditions.ts";
import type { RegistrationStanding } from "./registered.ts";

/** Writes the state of policies, trust roots and revocation lists into their status, for `kubectl get`. */
export interface StatusWriter {
  /**
   * Sets the present state; returns at once. The leader, also one that wins the lead later, writes the statuses
   * that differ.
   */
  update(objects: PolicyObjects, compiled: CompiledSnapshot): void;
  /** Sets how policies stand with what is stored, and what that meets; undefined: it is not known. Returns at once. */
  setStandings(standings: readonly Standing[] | undefined, seen?: ReadonlySet<Mark>): void;
  /** Sets how the webhook is registered. Returns at once. */
  setRegistration(standing: RegistrationStanding): void;
  close(): Promise<void>;
}

/**
 * Milliseconds between two writes: a hundred changed policies take some seconds, without load on the API server.
 */
const writeInterval = 50;
const requestTimeout = 10_000;

interface Write {
  readonly path: string;
  readonly resourceVersion: string | undefined;
  readonly status: Readonly<Record<string, unknown>>;
}

/** Milliseconds for which a status that is as it should be is not made again: some of it depends on the time. */
const asExpectedFor = 60_000;

/** A merge patch keeps omitted members: members to remove must be null (RFC 7396). */
const replacing = (before: unknown, status: Status): Write["status"] => ({
  ...Object.fromEntries(Object.keys(before ?? {}).map((key) => [key, null])),
  ...status,
});

/** Queue of statuses, written one by one; a newer status of an object replaces a queued one. */
class StatusQueue {
  readonly #client: ApiClient;
  readonly #hooks: ClusterHooks;
  readonly #leadership: Leadership;
  readonly #stop = new AbortController();
  readonly #waiting = new Map<string, Write>();
  /** Objects whose status was as it should be, by what it was made from. */
  readonly #asExpected = new WeakMap<
    KubernetesObject,
    { readonly from: StatusSource; readonly until: number }
  >();
  #draining: Promise<void> | undefined;
  #failing = false;

  constructor(client: ApiClient, hooks: ClusterHooks, leadership: Leadership) {
    this.#client = client;
    this.#hooks = hooks;
    this.#leadership = leadership;
  }

  consider(kind: OwnKind, object: KubernetesObject, from: StatusSource): void {
    // Each write of a status comes back as a change: all other objects are as they were.
    const known = this.#asExpected.get(object);
    if (known?.from === from && performance.now() < known.until) return;
    const { resourceVersion } = metadataOf(object) as { readonly resourceVersion?: string };
    const path = `${collectionPath(kind)}/${encodeURIComponent(nameOf(object))}/status`;
    const status = statusOf(kind, object, from, Date.now());
    if (isDeepStrictEqual(object["status"], status)) {
      this.#waiting.delete(path);
      this.#asExpected.set(object, { from, until: performance.now() + asExpectedFor });
    } else {
      const patch = replacing(object["status"], status);
      this.#waiting.set(path, { path, resourceVersion, status: patch });
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
        // The new leader computes them again, from a newer state.
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
        // States the version: a status computed from an older object is refused.
        body: { metadata: { resourceVersion }, status },
        signal: AbortSignal.any([signal, AbortSignal.timeout(requestTimeout)]),
      });
      this.#failing = false;
    } catch (error) {
      // Changed (409) or deleted (404) meanwhile: the watch brings the newer state and the next update.
      if (signal.aborted || (error instanceof ApiError && (error.status === 409 || error.status === 404)))
        return;
      if (!this.#failing) this.#hooks.onProblem(`status is not written: ${messageOf(error)}`);
      this.#failing = true;
    }
  }
}

/** Makes a writer that writes while this process leads. */
export function createStatusWriter(
  client: ApiClient,
  hooks: ClusterHooks,
  leadership: Leadership,
): StatusWriter {
  const queue = new StatusQueue(client, hooks, leadership);
  let latest: Parameters<StatusWriter["update"]> | undefined;
  let standings: ReadonlyMap<string, PolicyStanding> | undefined;
  let registration: RegistrationStanding | undefined;
  let seen: ReadonlySet<Mark> | undefined;
  /** The same object until a part of it changes. */
  let from: StatusSource | undefined;
  const write = (): void => {
    if (latest === undefined || leadership.leadingSignal() === undefined) return;
    const [objects, compiled] = latest;
    from ??= { ...compiled, ...defined({ standings, seen, registration }) };
    for (const kind of ownKinds) for (const object of objects[kind]) queue.consider(kind, object, from);
    queue.start();
  };
  leadership.onChange(write);
  return {
    update: (...state) => {
      if (state[1] !== latest?.[1]) from = undefined;
      latest = state;
      write();
    },
    setStandings: (all, met) => {
      seen = met;
      standings = all && new Map(all.map((one) => [one.policy, one]));
      from = undefined;
      write();
    },
    setRegistration: (standing) => {
      // Told after each check, mostly as before.
      if (isDeepStrictEqual(registration, standing)) return;
      registration = standing;
      from = undefined;
      write();
    },
    close: () => queue.close(),
  };
}
