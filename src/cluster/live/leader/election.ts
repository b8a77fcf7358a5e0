import type { Confirmation, Leadership } from "./leadership.ts";
import type { LeaseRecord, LeaseStore, StoredLease } from "./lease.ts";

/** Times of an election, milliseconds, related as in client-go: duration > deadline > retry. */
export interface ElectionTimes {
  /** Time without renewal after which another candidate takes over. */
  readonly duration: number;
  /** Time without renewal after which the leader stops leading. */
  readonly deadline: number;
  /** Interval between two attempts. */
  readonly retry: number;
}

export const electionDefaults: ElectionTimes = { duration: 15_000, deadline: 10_000, retry: 2_000 };

/** Clock of an election. */
export interface ElectionClock {
  /** Monotonic milliseconds from any origin, which also advance while the process is stopped. */
  monotonic(): number;
  /** Milliseconds since 1970, for the Lease's readers. */
  now(): number;
  /** Resolves after that time, or as soon as the signal aborts. */
  sleep(milliseconds: number, signal: AbortSignal): Promise<void>;
  /** 0 to 1: spreads the candidates' attempts. */
  random(): number;
}

export interface ElectionOptions {
  readonly store: LeaseStore;
  /** Unique among all processes ever. */
  readonly identity: string;
  readonly clock: ElectionClock;
  readonly times?: ElectionTimes;
  /** Runs once each time that attempts begin to fail. */
  readonly onProblem: (error: unknown) => void;
}

/** RFC 3339 with microseconds, the API's MicroTime. */
const microTime = (now: number): string => new Date(now).toISOString().replace("Z", "000Z");

/** Maximum seconds to wait for another holder's Lease, whatever duration it states. */
const maxDuration = 300;

/** Maximum milliseconds for releasing the Lease at the end. */
const releaseTimeout = 2_000;

/** Identifies a renewal; a change of the annotation alone is no sign of life. */
const lifeSign = ({ holder, renewTime, acquireTime, transitions }: LeaseRecord): string =>
  JSON.stringify([holder, renewTime, acquireTime, transitions]);

/**
 * A candidate in the manner of client-go's leader election. Clocks of different machines are never compared: a
 * Lease expires by the time since this process saw it change, on its own monotonic clock. The lead counts from
 * before the renewal was sent: it then ends before another candidate may begin, even if this process was stopped in
 * between.
 */
class Candidate implements Leadership {
  readonly #options: ElectionOptions;
  readonly #times: ElectionTimes;
  readonly #stop = new AbortController();
  readonly #listeners = new Set<() => void>();
  #stored: StoredLease | undefined;
  #seen: { readonly sign: string; readonly at: number } | undefined;
  #renewedAt = -Infinity;
  #renewals = 0;
  #leading: AbortController | undefined;
  #told = "";
  #attempt: Promise<void> = Promise.resolve();
  #ended: Promise<void> | undefined;
  #failing = false;
  #ledBefore: string | undefined;

  constructor(options: ElectionOptions) {
    this.#options = options;
    this.#times = options.times ?? electionDefaults;
  }

  campaign(): void {
    this.#ended ??= this.#run();
  }

  leadingSignal(): AbortSignal | undefined {
    // Checked by the clock: after a stop of the process, other code may run before any timer.
    if (this.#options.clock.monotonic() - this.#renewedAt >= this.#times.deadline) this.#lose();
    return this.#leading?.signal;
  }

  async confirm(signal: AbortSignal): Promise<Confirmation | undefined> {
    if (this.leadingSignal() === undefined) return undefined;
    const before = this.#renewals;
    await this.#tryOnce(signal);
    const leadingSignal = this.leadingSignal();
    if (leadingSignal === undefined || this.#renewals === before) return undefined;
    return { leadingSignal, unregistered: this.#stored?.record.unregistered };
  }

  async clearUnregistered(signal: AbortSignal): Promise<void> {
    await this.#serially(async () => {
      if (this.leadingSignal() === undefined || this.#stored === undefined) return;
      const record = { ...this.#stored.record, unregistered: undefined };
      this.#stored = (await this.#options.store.write(record, this.#stored, signal)) ?? this.#stored;
    });
    this.#tell();
  }

  ledBefore(): string | undefined {
    return this.#ledBefore;
  }

  onChange(listener: () => void): void {
    this.#listeners.add(listener);
  }

  async close(): Promise<void> {
    const leads = this.leadingSignal() !== undefined;
    this.#stop.abort();
    this.#lose();
    await this.#ended;
    if (leads) await this.#release().catch(() => undefined);
    this.#stored = undefined;
  }

  async #release(): Promise<void> {
    const { store, clock, identity } = this.#options;
    const signal = AbortSignal.timeout(releaseTimeout);
    const renewTime = microTime(clock.now());
    for (let stored = this.#stored; stored?.record.holder === identity; stored = await store.read(signal)) {
      const given = { ...stored.record, holder: "", durationSeconds: 1, renewTime };
      if ((await store.write(given, stored, signal)) !== undefined) return;
    }
  }

  async #run(): Promise<void> {
    const { clock } = this.#options;
    const { retry } = this.#times;
    const stop = this.#stop.signal;
    while (!stop.aborted) {
      await this.#tryOnce(stop);
      // Waiting candidates attempt at random times, so that two do not collide again and again.
      const leads = this.leadingSignal() !== undefined;
      await clock.sleep(leads ? Math.min(retry, this.#left()) : retry * (1 + clock.random()), stop);
    }
  }

  /** One attempt at a time: those of the loop and of `confirm` would otherwise overtake each other. */
  #serially(work: () => Promise<void>): Promise<void> {
    const next = this.#attempt.then(work);
    this.#attempt = next.catch(() => undefined);
    return next;
  }

  async #tryOnce(signal: AbortSignal): Promise<void> {
    try {
      await this.#serially(() => this.#acquireOrRenew(this.#limited(signal)));
      this.#failing = false;
    } catch (error) {
      if (!this.#stop.signal.aborted && !signal.aborted) {
        if (!this.#failing) this.#options.onProblem(error);
        this.#failing = true;
      }
    }
    this.#tell();
  }

  /** Milliseconds until the lead ends. */
  #left(): number {
    return Math.max(0, this.#renewedAt + this.#times.deadline - this.#options.clock.monotonic());
  }

  /** Bounds a leader's attempt: it ends before the lead does, with time for another attempt. */
  #limited(signal: AbortSignal): AbortSignal {
    const most = this.#times.deadline / 2;
    const limit = this.leadingSignal() === undefined ? most : Math.min(most, this.#left());
    return AbortSignal.any([signal, this.#stop.signal, AbortSignal.timeout(Math.ceil(limit))]);
  }

  async #acquireOrRenew(signal: AbortSignal): Promise<void> {
    if (this.#stop.signal.aborted) return;
    if (this.leadingSignal() !== undefined && this.#stored !== undefined) {
      if (await this.#write(this.#stored.record, this.#stored, signal)) return;
      // Changed by someone else; its present holder decides whether this process still leads.
    }
    const found = await this.#options.store.read(signal);
    this.#observe(found);
    if (found !== undefined && this.#heldByAnother(found.record)) {
      this.#lose();
      return;
    }
    await this.#write(found?.record, found, signal);
  }

  #observe(found: StoredLease | undefined): void {
    this.#stored = found;
    const sign = found === undefined ? "" : lifeSign(found.record);
    if (this.#seen?.sign !== sign) this.#seen = { sign, at: this.#options.clock.monotonic() };
  }

  #heldByAnother({ holder, durationSeconds }: LeaseRecord): boolean {
    if (holder === "" || holder === this.#options.identity) return false;
    const duration = Math.min(durationSeconds, maxDuration) * 1000;
    return this.#options.clock.monotonic() - (this.#seen?.at ?? 0) < duration;
  }

  /** Writes this process as the holder; false if another was faster. */
  async #write(
    before: LeaseRecord | undefined,
    previous: StoredLease | undefined,
    signal: AbortSignal,
  ): Promise<boolean> {
    const { store, identity, clock } = this.#options;
    const sent = clock.monotonic();
    const time = microTime(clock.now());
    const stays = before?.holder === identity;
    const record: LeaseRecord = {
      holder: identity,
      durationSeconds: Math.ceil(this.#times.duration / 1000),
      renewTime: time,
      acquireTime: stays ? (before.acquireTime ?? time) : time,
      transitions: (before?.transitions ?? 0) + (stays || before === undefined ? 0 : 1),
      ...(before?.unregistered === undefined ? {} : { unregistered: before.unregistered }),
    };
    const written = await store.write(record, previous, signal);
    if (written === undefined) return false;
    this.#observe(written);
    this.#renewedAt = sent;
    this.#renewals += 1;
    if (!this.#stop.signal.aborted && this.#leading === undefined) {
      this.#ledBefore = before?.renewTime;
      this.#leading = new AbortController();
    }
    return true;
  }

  #lose(): void {
    this.#renewedAt = -Infinity;
    const leadingSignal = this.#leading;
    this.#leading = undefined;
    leadingSignal?.abort(new Error("the lead was lost"));
  }

  #tell(): void {
    const state = `${this.leadingSignal() !== undefined} ${this.#stored?.record.unregistered ?? ""}`;
    if (state === this.#told) return;
    this.#told = state;
    for (const listener of this.#listeners) listener();
  }
}

/** Makes a candidate. From `campaign` until `close` it retries after every failure. */
export const createCandidate = (options: ElectionOptions): Leadership => new Candidate(options);
