/** A burst, and a rate in tokens per second. */
export interface BucketLimits {
  readonly burst: number;
  readonly perSecond: number;
}

/** Token bucket. Times are milliseconds of a clock; one that is set back gives nothing meanwhile. */
export class TokenBucket {
  readonly #limits: BucketLimits;
  #tokens: number;
  #at: number;

  constructor(limits: BucketLimits, now: number) {
    this.#limits = limits;
    this.#tokens = limits.burst;
    this.#at = now;
  }

  /** Whether there is a token to take. */
  has(now: number): boolean {
    const { burst, perSecond } = this.#limits;
    this.#tokens = Math.min(burst, this.#tokens + (Math.max(0, now - this.#at) / 1000) * perSecond);
    this.#at = now;
    return this.#tokens >= 1;
  }

  /** Takes a token; false if there is none. */
  take(now: number): boolean {
    const has = this.has(now);
    if (has) this.#tokens -= 1;
    return has;
  }
}
