import type { ElectionClock } from "../../../../../src/cluster/live/leader/election.ts";
import type { LeaseRecord, LeaseStore, StoredLease } from "../../../../../src/cluster/live/leader/lease.ts";

/** One Lease in memory, as the API server keeps it, that can be out of reach of some or hold answers back. */
export class FakeLease {
  stored: StoredLease | undefined;
  writes = 0;

  /** The Lease as one process reaches it. */
  client(): LeaseStore & { reachable: boolean; losesAnswers: boolean } {
    const client = {
      reachable: true,
      losesAnswers: false,
      read: () => {
        if (!client.reachable) return Promise.reject(new Error("no route to the API server"));
        return Promise.resolve(this.stored);
      },
      write: (record: LeaseRecord, previous: StoredLease | undefined) => {
        if (!client.reachable) return Promise.reject(new Error("no route to the API server"));
        if (previous?.version !== this.stored?.version) return Promise.resolve(undefined);
        const written = this.put(record);
        return client.losesAnswers
          ? Promise.reject(new Error("the answer was lost"))
          : Promise.resolve(written);
      },
    };
    return client;
  }

  /** What somebody else writes, whoever holds it. */
  put(record: LeaseRecord): StoredLease {
    this.writes += 1;
    this.stored = { version: String(this.writes), record };
    return this.stored;
  }
}

interface Sleeper {
  readonly until: number;
  readonly wake: () => void;
}

/** Time that passes only when a test says so, for several candidates; each of them may be stopped as by SIGSTOP. */
export class FakeTime {
  #now = 0;
  readonly #sleepers = new Map<Sleeper, ReturnType<FakeTime["clock"]>>();

  clock(random = 0, wallClock = 0): ElectionClock & { stopped: boolean } {
    const clock = {
      stopped: false,
      monotonic: () => this.#now,
      now: () => this.#now + wallClock,
      random: () => random,
      sleep: (milliseconds: number, signal: AbortSignal) =>
        new Promise<void>((resolve) => {
          const sleeper = { until: this.#now + milliseconds, wake: resolve };
          this.#sleepers.set(sleeper, clock);
          const end = (): void => {
            this.#sleepers.delete(sleeper);
            resolve();
          };
          if (signal.aborted) end();
          else signal.addEventListener("abort", end, { once: true });
        }),
    };
    return clock;
  }

  /** Lets time pass in small steps, and all that happens in each. */
  async pass(milliseconds: number, each: () => void = () => undefined): Promise<void> {
    const end = this.#now + milliseconds;
    while (this.#now < end) {
      this.#now = Math.min(end, this.#now + 100);
      for (const [sleeper, clock] of this.#sleepers) {
        if (sleeper.until > this.#now || clock.stopped) continue;
        this.#sleepers.delete(sleeper);
        sleeper.wake();
      }
      await settled();
      each();
    }
  }
}

/** Lets everything run that is ready to. */
export const settled = async (): Promise<void> => {
  for (let round = 0; round < 5; round += 1)
    await new Promise<void>((resolve) => {
      setImmediate(resolve);
    });
};
