import { messageOf } from "../api/client.ts";

export interface QueueDeps {
  /** Maximum requests that wait. */
  readonly waiting: number;
  readonly onDropped: (why: "queue_full" | "refused") => void;
  /** Runs once each time that writing begins to fail. */
  readonly onProblem: (message: string) => void;
}

/** Limit on one write, milliseconds. */
const requestTimeout = 10_000;

type Write = (signal: AbortSignal) => Promise<void>;

/** Writes one after the other, so that nobody waits for them; beyond its length it takes none. */
export class WriteQueue {
  readonly #deps: QueueDeps;
  readonly #waiting: Write[] = [];
  readonly #stop = new AbortController();
  #working: Promise<void> | undefined;
  #failing = false;

  constructor(deps: QueueDeps) {
    this.#deps = deps;
  }

  isClosed(): boolean {
    return this.#stop.signal.aborted;
  }

  /** Queues a write; false if there is no room. */
  add(write: Write): boolean {
    if (this.#waiting.length >= this.#deps.waiting) {
      this.#deps.onDropped("queue_full");
      return false;
    }
    this.#waiting.push(write);
    this.#working ??= this.#work().finally(() => (this.#working = undefined));
    return true;
  }

  async close(): Promise<void> {
    this.#stop.abort();
    await this.#working;
  }

  async #work(): Promise<void> {
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      if (this.isClosed()) return;
      try {
        await next(AbortSignal.any([this.#stop.signal, AbortSignal.timeout(requestTimeout)]));
        this.#failing = false;
      } catch (error) {
        if (this.isClosed()) return;
        this.#deps.onDropped("refused");
        if (!this.#failing) this.#deps.onProblem(`Events are not written: ${messageOf(error)}`);
        this.#failing = true;
      }
    }
  }
}
