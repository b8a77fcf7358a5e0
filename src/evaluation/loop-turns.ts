import { nextTurn } from "./yield-to-event-loop.ts";

/**
 * Lets large pieces of work begin one in a turn of the event loop, in the order in which they come: callbacks of many
 * connections run in one turn, and the pieces of all would be one long stop.
 */
export class LoopTurns {
  #last: Promise<void> = Promise.resolve();

  /** Resolves when the next piece may begin; everything else that is ready has run before. */
  next(): Promise<void> {
    this.#last = this.#last.then(nextTurn);
    return this.#last;
  }
}
