import { randomBytes } from "node:crypto";
import { hostname } from "node:os";
import { LRUCache } from "lru-cache";
import { defined } from "../../../text/fields.ts";
import type { DenialEvent } from "../../../admission/response/denial-event.ts";
import type { NoncomplianceEvent } from "../../../recheck/noncompliance-event.ts";
import { ApiError, messageOf, type ApiClient } from "../api/client.ts";
import { TokenBucket, type BucketLimits } from "../../../text/token-bucket.ts";

/** Reason why an Event was not written: rate limit, full queue, or refused by the API server. */
export type EventDrop = "rate_limited" | "queue_full" | "refused";

/** An Event about an object that mounts skills. */
export type WorkloadEvent = Omit<DenialEvent, "reason"> & {
  readonly reason: DenialEvent["reason"] | NoncomplianceEvent["reason"];
};

/** Reports denials, and what is stored and does not comply, as Kubernetes Events. */
export interface EventWriter {
  /** Queues an Event. Returns at once, and never throws. */
  tell(event: WorkloadEvent): void;
  close(): Promise<void>;
}

/** Limits; times in milliseconds. */
export interface EventLimits {
  /** New Events per object. */
  readonly perObject: BucketLimits;
  /** New Events per namespace: one tenant must not use up the rate of all. */
  readonly perNamespace: BucketLimits;
  /** Requests in total. */
  readonly inAll: BucketLimits;
  /** Maximum requests in the queue. */
  readonly waiting: number;
  /** Maximum remembered denials, for counting repetitions. */
  readonly remembered: number;
  /** Interval between writes of a repeated denial's count. */
  readonly series: number;
  /** Time after which a repeated denial begins a new Event. */
  readonly forget: number;
}

export const eventLimits: EventLimits = {
  perObject: { burst: 5, perSecond: 1 / 60 },
  perNamespace: { burst: 10, perSecond: 1 / 4 },
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

const requestTimeout = 10_000;
const controller = "skill-admission.dev/webhook";

interface RecordedEvent {
  readonly path: string;
  count: number;
  written: number;
  lastAt: number;
  /** Monotonic times of the last denial and of the next write of its count. */
  seen: number;
  due: number;
}

const microTime = (now: number): string => new Date(now).toISOString().replace("Z", "000Z");

/** Unique Event name for an object of any name: a DNS subdomain. */
const eventName = (name: string): string =>
  `${name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .slice(0, 200)
    .replace(/^-+|-+$/g, "")
    .concat(".")
    .replace(/^\./, "object.")}${randomBytes(8).toString("hex")}`;

function bodyOf(event: WorkloadEvent, name: string, time: number): object {
  const { namespace, regarding, related, reason } = event;
  return {
    apiVersion: "events.k8s.io/v1",
    kind: "Event",
    metadata: { name, namespace },
    eventTime: microTime(time),
    type: "Warning",
    reason,
    action: reason === "SkillNotCompliant" ? "Recheck" : "Admission",
    note: event.note(),
    regarding,
    ...defined({ related }),
    reportingController: controller,
    reportingInstance: hostname().slice(0, 128),
  };
}

function bucketOf(
  buckets: LRUCache<string, TokenBucket>,
  key: string,
  limits: BucketLimits,
  now: number,
): TokenBucket {
  const bucket = buckets.get(key) ?? new TokenBucket(limits, now);
  buckets.set(key, bucket);
  return bucket;
}

/**
 * Writes Events (events.k8s.io/v1) one by one. Repetitions of a denial, as controllers cause by retrying, count in
 * the series of its Event. Above the limits Events are dropped and counted: a decision never waits for them.
 */
class Writer implements EventWriter {
  readonly #deps: EventDeps;
  readonly #limits: EventLimits;
  readonly #clock: { monotonic(): number; now(): number };
  readonly #known: LRUCache<string, RecordedEvent>;
  readonly #objects: LRUCache<string, TokenBucket>;
  readonly #namespaces: LRUCache<string, TokenBucket>;
  readonly #all: TokenBucket;
  readonly #waiting: (() => Promise<void>)[] = [];
  readonly #stop = new AbortController();
  readonly #timer: NodeJS.Timeout;
  #working: Promise<void> | undefined;
  #failing = false;

  constructor(deps: EventDeps) {
    this.#deps = deps;
    this.#limits = deps.limits ?? eventLimits;
    this.#clock = deps.clock ?? { monotonic: () => performance.now(), now: () => Date.now() };
    this.#known = new LRUCache({ max: this.#limits.remembered });
    this.#objects = new LRUCache({ max: this.#limits.remembered });
    this.#namespaces = new LRUCache({ max: this.#limits.remembered });
    this.#all = new TokenBucket(this.#limits.inAll, this.#clock.monotonic());
    this.#timer = setInterval(() => this.#writeSeries(), this.#limits.series / 3);
    this.#timer.unref();
  }

  tell(event: WorkloadEvent): void {
    if (this.#closed() || this.#deps.exempt?.has(event.namespace) === true) return;
    const now = this.#clock.monotonic();
    const known = this.#known.get(event.key);
    if (known !== undefined && now - known.seen < this.#limits.forget) {
      known.count += 1;
      known.seen = now;
      known.lastAt = this.#clock.now();
      return;
    }
    if (this.#mayBegin(event, now)) this.#begin(event, now);
    else this.#deps.onDropped("rate_limited");
  }

  #mayBegin({ namespace, regarding: { kind, name } }: WorkloadEvent, now: number): boolean {
    const { perObject, perNamespace } = this.#limits;
    return (
      bucketOf(this.#objects, `${namespace}/${kind}/${name}`, perObject, now).take(now) &&
      bucketOf(this.#namespaces, namespace, perNamespace, now).take(now) &&
      this.#all.take(now)
    );
  }

  #begin(event: WorkloadEvent, seen: number): void {
    const { key } = event;
    const time = this.#clock.now();
    const name = eventName(event.regarding.name);
    const collection = `/apis/events.k8s.io/v1/namespaces/${encodeURIComponent(event.namespace)}/events`;
    // The body is made now: a queued request must not keep the reviewed skills in memory.
    const body = bodyOf(event, name, time);
    const known = { path: `${collection}/${name}`, count: 1, written: 1, lastAt: time, seen };
    // Remembered before it is written: repetitions meanwhile are counted.
    this.#known.set(key, { ...known, due: seen + this.#limits.series });
    const create = async (): Promise<void> => {
      try {
        await this.#deps.client.call({ method: "POST", path: collection, body, signal: this.#signal() });
      } catch (error) {
        this.#known.delete(key);
        throw error;
      }
    };
    if (!this.#enqueue(create)) this.#known.delete(key);
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    this.#stop.abort();
    await this.#working;
  }

  #enqueue(work: () => Promise<void>): boolean {
    if (this.#waiting.length >= this.#limits.waiting) {
      this.#deps.onDropped("queue_full");
      return false;
    }
    this.#waiting.push(work);
    this.#working ??= this.#work().finally(() => (this.#working = undefined));
    return true;
  }

  async #work(): Promise<void> {
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      if (this.#closed()) return;
      try {
        await next();
        this.#failing = false;
      } catch (error) {
        if (this.#closed()) return;
        this.#deps.onDropped("refused");
        if (!this.#failing) this.#deps.onProblem(`Events are not written: ${messageOf(error)}`);
        this.#failing = true;
      }
    }
  }

  #closed(): boolean {
    return this.#stop.signal.aborted;
  }

  #signal(): AbortSignal {
    return AbortSignal.any([this.#stop.signal, AbortSignal.timeout(requestTimeout)]);
  }

  /** Queues writes of increased counts that are due, and forgets denials that no longer repeat. */
  #writeSeries(): void {
    const now = this.#clock.monotonic();
    for (const [key, known] of [...this.#known.entries()]) {
      if (known.count > known.written && now >= known.due) {
        if (!this.#all.take(now)) return;
        known.due = now + this.#limits.series;
        this.#enqueue(() => this.#count(key, known));
      } else if (now - known.seen >= this.#limits.forget) this.#known.delete(key);
    }
  }

  async #count(key: string, known: RecordedEvent): Promise<void> {
    const { path, count, lastAt } = known;
    const body = { series: { count, lastObservedTime: microTime(lastAt) } };
    const contentType = "application/merge-patch+json";
    try {
      await this.#deps.client.call({ method: "PATCH", path, contentType, body, signal: this.#signal() });
      known.written = count;
    } catch (error) {
      // The API server deletes Events after an hour by default; the next denial begins a new one.
      if (!(error instanceof ApiError && error.status === 404)) throw error;
      this.#known.delete(key);
    }
  }
}

/** Makes a writer of Events about denials, within limits. */
export const createEventWriter = (deps: EventDeps): EventWriter => new Writer(deps);
