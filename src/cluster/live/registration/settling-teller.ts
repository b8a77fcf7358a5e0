/** Milliseconds until API servers go by what was written: they take some, and there is more than one. */
const settleTime = 1_000;

/**
 * Tells what a write has brought about once every API server goes by it. What comes after a write that is not told yet
 * waits its own time, and takes nothing from the earlier one: writes that follow each other do not keep it back.
 */
export class SettlingTeller<Told> {
  readonly #tell: (told: Told) => void;
  #waiting: { readonly timer: NodeJS.Timeout; readonly due: number; told: Told } | undefined;
  #next: { readonly told: Told; readonly due: number } | undefined;

  constructor(tell: (told: Told) => void) {
    this.#tell = tell;
  }

  /** @param writtenAt when the last write was done, milliseconds of `performance.now()` */
  settles(told: Told, writtenAt: number): void {
    const due = writtenAt + settleTime;
    if (this.#waiting === undefined) this.#wait(told, due);
    else if (this.#waiting.due === due) this.#waiting.told = told;
    else this.#next = { told, due };
  }

  /** Tells this at once, and nothing of before. */
  now(told: Told): void {
    this.close();
    this.#tell(told);
  }

  close(): void {
    clearTimeout(this.#waiting?.timer);
    this.#waiting = undefined;
    this.#next = undefined;
  }

  #wait(told: Told, due: number): void {
    const wait = due - performance.now();
    if (wait <= 0) this.#tell(told);
    else this.#waiting = { timer: setTimeout(() => this.#settled(), wait).unref(), due, told };
  }

  #settled(): void {
    const [waiting, next] = [this.#waiting, this.#next];
    this.#waiting = undefined;
    this.#next = undefined;
    if (waiting !== undefined) this.#tell(waiting.told);
    if (next !== undefined) this.#wait(next.told, next.due);
  }
}
