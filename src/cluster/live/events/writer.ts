import type { ObjectReference } from "../../../workload/carriers/owner.ts";
import { ApiError, type ApiClient } from "../api/client.ts";
import { topOwner } from "../api/top-owner.ts";
import { EventBudget, type BudgetLimits } from "./budget.ts";
import { eventBody, eventName, eventsPath, microTime, type WorkloadEvent } from "./event-body.ts";
import { RecordedEvents, type MemoryLimits, type RecordedEvent } from "./recorded-events.ts";
import { workloadName } from "./workload-name.ts";
import { WriteQueue } from "./write-queue.ts";

/** Reason why an Event was not written: rate limit, full queue, or refused by the API server. */
export type EventDrop = "rate_limited" | "queue_full" | "refused";

/** Reports denials, and what is stored and does not comply, as Kubernetes Events. */
export interface EventWriter {
  /** Queues an Event. Returns at once, and never throws. */
  tell(event: WorkloadEvent): void;
  close(): Promise<void>;
}

/** Limits on new Events, and once more on writes of counts; times in milliseconds. */
export interface EventLimits extends BudgetLimits, MemoryLimits {
  /** Maximum requests in the queue. */
  readonly waiting: number;
  /** Interval between writes of a repeated denial's count. */
  readonly series: number;
}

/** docs/configuration.md says these. */
export const eventLimits: EventLimits = {
  perWorkload: { burst: 5, perSecond: 1 / 60 },
  perRequester: { burst: 10, perSecond: 1 / 4 },
  perNamespace: { burst: 20, perSecond: 1 / 2 },
  inAll: { burst: 50, perSecond: 5 },
  waiting: 100,
  remembered: 1_000,
  series: 30_000,
  forget: 6 * 60_000,
};

/** More at once: a policy that changes may name many workloads that run. */
export const storedEventLimits: EventLimits = {
  ...eventLimits,
  perNamespace: { burst: 50, perSecond: 1 },
  inAll: { burst: 200, perSecond: 10 },
  waiting: 300,
};

export interface EventDeps {
  readonly client: ApiClient;
  /** Runs once each time that writing begins to fail. */
  readonly onProblem: (message: string) => void;
  readonly onDropped: (why: EventDrop) => void;
  /** Namespaces without reviews by the API server: a review that claims to come from one is forged. */
  readonly exempt?: ReadonlySet<string>;
  readonly limits?: EventLimits;
  readonly clock?: { monotonic(): number; now(): number };
}

/** The kind and the part of the name that stays. */
const workloadOf = ({ kind, name }: ObjectReference): string => `${kind}/${workloadName(name)}`;

type Told = Pick<WorkloadEvent, "namespace" | "cause">;

/** Equal for the same denial of the same workload, whatever it names its objects. */
const workloadKey = ({ namespace, cause }: Told, regarding: ObjectReference): string =>
  JSON.stringify([namespace, cause, workloadOf(regarding)]);

/** Equal for the same denial of the same object; one without a uid never was, and the next attempt may name another. */
const objectKey = (told: Told, regarding: ObjectReference): string =>
  regarding.uid === undefined
    ? workloadKey(told, regarding)
    : JSON.stringify([told.namespace, told.cause, regarding.kind, regarding.name, regarding.uid]);

/**
 * Writes Events (events.k8s.io/v1) one by one, on the top owner of the denied object. Repetitions of a denial, as
 * controllers cause by retrying, count in the series of its Event. Above the limits Events are dropped and counted, or
 * count in an Event of the same workload and cause: a decision never waits for them.
 */
class Writer implements EventWriter {
  readonly #deps: EventDeps;
  readonly #limits: EventLimits;
  readonly #clock: { monotonic(): number; now(): number };
  readonly #known: RecordedEvents;
  readonly #begun: EventBudget;
  readonly #counted: EventBudget;
  readonly #queue: WriteQueue;
  readonly #timer: NodeJS.Timeout;

  constructor(deps: EventDeps) {
    this.#deps = deps;
    this.#limits = deps.limits ?? eventLimits;
    this.#clock = deps.clock ?? { monotonic: () => performance.now(), now: () => Date.now() };
    this.#known = new RecordedEvents(this.#limits);
    this.#begun = new EventBudget(this.#limits, this.#clock.monotonic());
    this.#counted = new EventBudget(this.#limits, this.#clock.monotonic());
    this.#queue = new WriteQueue({ ...deps, waiting: this.#limits.waiting });
    this.#timer = setInterval(() => this.#writeSeries(), this.#limits.series / 3);
    this.#timer.unref();
  }

  tell(event: WorkloadEvent): void {
    if (this.#queue.isClosed() || this.#deps.exempt?.has(event.namespace) === true) return;
    const now = this.#clock.monotonic();
    const { namespace, regarding, requester } = event;
    const repeats = (key: string): boolean => this.#known.repeats(key, now, this.#clock.now());
    if (repeats(objectKey(event, regarding))) return;
    if (this.#begun.take({ namespace, workload: workloadOf(regarding), requester }, now))
      this.#begin(event, now);
    else if (!repeats(workloadKey(event, regarding))) this.#deps.onDropped("rate_limited");
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#queue.close();
  }

  #begin(event: WorkloadEvent, seen: number): void {
    const { namespace, cause, regarding } = event;
    const time = this.#clock.now();
    const name = eventName(regarding.name);
    const collection = eventsPath(namespace);
    const path = `${collection}/${name}`;
    const due = seen + this.#limits.series;
    const one: RecordedEvent = { namespace, path, count: 1, written: 1, lastAt: time, seen, due };
    // Remembered before it is written: repetitions meanwhile are counted.
    this.#known.set(objectKey(event, regarding), one);
    this.#known.set(workloadKey(event, regarding), one);
    // The body is made now: a queued request must not keep the reviewed skills in memory.
    const body = { ...eventBody(event, time), metadata: { name, namespace } };
    const create = async (signal: AbortSignal): Promise<void> => {
      const { client } = this.#deps;
      // Not on the ReplicaSet of a Deployment: there Kubernetes tells it, and people describe the Deployment.
      const top = (await topOwner(client, regarding, signal)) ?? regarding;
      if (this.#known.joins(objectKey({ namespace, cause }, top), one)) return;
      await client.call({ method: "POST", path: collection, body: { ...body, regarding: top }, signal });
    };
    const isQueued = this.#queue.add(async (signal) => {
      try {
        await create(signal);
      } catch (error) {
        this.#known.drop(one);
        throw error;
      }
    });
    if (!isQueued) this.#known.drop(one);
  }

  /** Queues writes of increased counts that are due. */
  #writeSeries(): void {
    const now = this.#clock.monotonic();
    for (const event of this.#known.due(now)) {
      if (!this.#counted.take({ namespace: event.namespace }, now)) continue;
      event.due = now + this.#limits.series;
      this.#queue.add((signal) => this.#count(event, signal));
    }
  }

  async #count(event: RecordedEvent, signal: AbortSignal): Promise<void> {
    const { path, count, lastAt } = event;
    const body = { series: { count, lastObservedTime: microTime(lastAt) } };
    const contentType = "application/merge-patch+json";
    try {
      await this.#deps.client.call({ method: "PATCH", path, contentType, body, signal });
      event.written = count;
    } catch (error) {
      // The API server deletes Events after an hour by default; the next denial begins a new one.
      if (!(error instanceof ApiError && error.status === 404)) throw error;
      this.#known.drop(event);
    }
  }
}

/** Makes a writer of Events about denials, within limits. */
export const createEventWriter = (deps: EventDeps): EventWriter => new Writer(deps);
