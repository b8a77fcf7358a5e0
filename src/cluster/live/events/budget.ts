import { LRUCache } from "lru-cache";
import { TokenBucket, type BucketLimits } from "../../../text/token-bucket.ts";

/** Limits on writes, from the smallest share to all. */
export interface BudgetLimits {
  /** Per workload, by the part of its name that stays: one that is denied in a loop leaves room for others. */
  readonly perWorkload: BucketLimits;
  /** Per namespace and user that asks: whoever tries ever new names leaves room for others. */
  readonly perRequester: BucketLimits;
  /** Per namespace: one tenant must not use up the rate of all. */
  readonly perNamespace: BucketLimits;
  readonly inAll: BucketLimits;
  /** Maximum remembered buckets of each kind. */
  readonly remembered: number;
}

/** Whom a write counts for. */
export interface Claim {
  readonly namespace: string;
  readonly workload?: string;
  readonly requester?: string | undefined;
}

/** Shares of writes: each write takes from every share that it counts for, or from none. */
export class EventBudget {
  readonly #limits: BudgetLimits;
  readonly #workloads: LRUCache<string, TokenBucket>;
  readonly #requesters: LRUCache<string, TokenBucket>;
  readonly #namespaces: LRUCache<string, TokenBucket>;
  readonly #all: TokenBucket;

  constructor(limits: BudgetLimits, now: number) {
    this.#limits = limits;
    const max = limits.remembered;
    this.#workloads = new LRUCache({ max });
    this.#requesters = new LRUCache({ max });
    this.#namespaces = new LRUCache({ max });
    this.#all = new TokenBucket(limits.inAll, now);
  }

  /** Takes one write of each share; false if one is used up. */
  take({ namespace, workload, requester }: Claim, now: number): boolean {
    const { perWorkload, perRequester, perNamespace } = this.#limits;
    const bucket = (
      buckets: LRUCache<string, TokenBucket>,
      key: string,
      limits: BucketLimits,
    ): TokenBucket => {
      const found = buckets.get(key) ?? new TokenBucket(limits, now);
      buckets.set(key, found);
      return found;
    };
    const shares = [
      ...(workload === undefined ? [] : [bucket(this.#workloads, `${namespace}/${workload}`, perWorkload)]),
      ...(requester === undefined
        ? []
        : [bucket(this.#requesters, `${namespace}/${requester}`, perRequester)]),
      bucket(this.#namespaces, namespace, perNamespace),
      this.#all,
    ];
    if (!shares.every((share) => share.has(now))) return false;
    for (const share of shares) share.take(now);
    return true;
  }
}
