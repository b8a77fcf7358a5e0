/** A pass that came to its end. */
export interface EndedPass {
  readonly seconds: number;
  /** Whether everything could be read. */
  readonly complete: boolean;
}

/** One look at all that is stored: from its beginning until every shape has been judged since. */
export class Pass {
  readonly #now: () => number;
  readonly #left = new Set<string>();
  #began: number | undefined;
  #complete = true;
  #isListing = true;
  #isKnown = false;
  #round = 0;

  /** The first pass begins now, with the list of pods. */
  constructor(now: () => number) {
    this.#now = now;
    this.#began = now();
  }

  /** True until all pods are listed. */
  get isListing(): boolean {
    return this.#isListing;
  }

  /** Number of the pass: what was judged for an earlier one does not count. */
  get round(): number {
    return this.#round;
  }

  get isUnderWay(): boolean {
    return this.#began !== undefined;
  }

  /** True once a pass has come to its end: only then is it known how policies stand. */
  get isKnown(): boolean {
    return this.#isKnown;
  }

  allListed(): void {
    this.#isListing = false;
  }

  /** Begins a pass over these; one that is under way begins anew, and has not succeeded until all are judged again. */
  begin(shapes: Iterable<string>): void {
    this.#left.clear();
    for (const shape of shapes) this.#left.add(shape);
    this.#began = this.#now();
    this.#complete = true;
    this.#round += 1;
  }

  /** Takes one more into a pass that is under way. */
  add(shape: string): void {
    if (this.#began !== undefined) this.#left.add(shape);
  }

  done(shape: string, complete: boolean, round: number): void {
    if (round === this.#round && this.#left.delete(shape)) this.#complete &&= complete;
  }

  /** The pass, once, when nothing of it is left. */
  ended(): EndedPass | undefined {
    if (this.#began === undefined || this.#isListing || this.#left.size > 0) return undefined;
    const seconds = (this.#now() - this.#began) / 1000;
    this.#began = undefined;
    this.#isKnown = true;
    return { seconds, complete: this.#complete };
  }
}
