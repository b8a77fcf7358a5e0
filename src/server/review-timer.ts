import type { Deadline } from "../admission/handle.ts";
import { RequestError } from "./body.ts";
import type { TimeLimits } from "./deadline.ts";

const late = (): RequestError => new RequestError(504, "TIMEOUT the review did not end before its deadline");

/** Time limits of one review: a deadline, and a later time at which the server answers in its place. */
export class ReviewTimer implements Deadline {
  #timer: NodeJS.Timeout;
  #listeners: readonly (() => void)[] = [];
  #aborted = false;
  #ended: RequestError | undefined;
  #onEnd: ((error: RequestError) => void) | undefined;

  constructor({ deadline, lastCall }: TimeLimits) {
    this.#timer = setTimeout(() => {
      this.#timer = setTimeout(() => this.#end(late()), lastCall - deadline);
      this.#abort();
    }, deadline);
  }

  get aborted(): boolean {
    return this.#aborted;
  }

  /** Why the review was ended before its time; undefined if it was not. */
  get reason(): RequestError | undefined {
    return this.#ended;
  }

  addEventListener(_type: "abort", listener: () => void): void {
    this.#listeners = [...this.#listeners, listener];
  }

  removeEventListener(_type: "abort", listener: () => void): void {
    this.#listeners = this.#listeners.filter((one) => one !== listener);
  }

  /** The outcome of the work; rejects where the server answers in its place. */
  limit<Outcome>(work: Promise<Outcome>): Promise<Outcome> {
    return new Promise((resolve, reject) => {
      this.#onEnd = reject;
      if (this.#ended !== undefined) reject(this.#ended);
      work.then(resolve, reject);
    });
  }

  /** Ends the review before its time. */
  end(error: RequestError): void {
    this.#end(error);
    this.#abort();
  }

  clear(): void {
    clearTimeout(this.#timer);
  }

  #end(error: RequestError): void {
    this.#ended ??= error;
    this.#onEnd?.(error);
  }

  #abort(): void {
    if (this.#aborted) return;
    this.#aborted = true;
    const listeners = this.#listeners;
    this.#listeners = [];
    for (const listener of listeners) listener();
  }
}
