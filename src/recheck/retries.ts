import type { RecheckDeps } from "./ports.ts";
import type { ShapeWork, Wanted } from "./shape-work.ts";
import type { Shape } from "./shape.ts";

/** Tries of one judgement before it counts as failed; what is stored now is tried on and on. */
export const maxAttempts = 4;
/** Milliseconds before the second try; each later one waits twice as long, up to the longest wait. */
const first = 1_000;
const longest = 60_000;

/** Judgements whose reads failed, which are tried again. */
export class Retries {
  readonly #clock: RecheckDeps["clock"];
  /** Shapes that wait to be judged again as they are now: once is enough. */
  readonly #waiting = new Set<Shape>();

  constructor(clock: RecheckDeps["clock"]) {
    this.#clock = clock;
  }

  /** Calls back with the next try after a while; at once with none if there is nothing to try any more. */
  after({ shape, version, attempts }: ShapeWork, signal: AbortSignal, then: (next?: Wanted) => void): void {
    if (version === undefined && this.#waiting.has(shape)) {
      then();
      return;
    }
    if (version === undefined) this.#waiting.add(shape);
    void this.#clock.sleep(Math.min(first * 2 ** attempts, longest), signal).then(() => {
      if (version === undefined) this.#waiting.delete(shape);
      const isOver = signal.aborted || (version === undefined && shape.pods.size === 0);
      then(
        isOver ? undefined : { shape, attempts: attempts + 1, ...(version === undefined ? {} : { version }) },
      );
    });
  }
}
