/** Work for one namespace; equal keys are the same work. */
export interface Work {
  readonly key: string;
  readonly namespace: string;
}

/**
 * Work in the order in which it came, the namespaces in turn: one tenant's many changes keep nobody else waiting. What
 * just happened goes before what is only looked at again.
 */
export class WorkQueue<W extends Work> {
  readonly #lanes = { now: new Map<string, Map<string, W>>(), later: new Map<string, Map<string, W>>() };
  #woken = Promise.withResolvers<undefined>();

  /** Adds work, unless it waits already. Returns whether it does since now. */
  add(work: W, lane: "now" | "later"): boolean {
    const other = lane === "now" ? "later" : "now";
    const waits = this.#lanes[other].get(work.namespace);
    const isKnown =
      waits?.has(work.key) === true || this.#lanes[lane].get(work.namespace)?.has(work.key) === true;
    if (isKnown && lane === "later") return false;
    if (waits?.delete(work.key) === true && waits.size === 0) this.#lanes[other].delete(work.namespace);
    const own = this.#lanes[lane].get(work.namespace) ?? new Map<string, W>();
    if (!own.has(work.key)) own.set(work.key, work);
    this.#lanes[lane].set(work.namespace, own);
    this.wake();
    return !isKnown;
  }

  /** Number of works of a namespace that wait because something happened. */
  waiting(namespace: string): number {
    return this.#lanes.now.get(namespace)?.size ?? 0;
  }

  /** The next work of these lanes that is free; undefined if there is none. */
  take(isFree: (work: W) => boolean, lanes: readonly ("now" | "later")[]): W | undefined {
    for (const lane of lanes.map((name) => this.#lanes[name])) {
      for (const [namespace, works] of lane) {
        const work = works.values().find(isFree);
        if (work === undefined) continue;
        works.delete(work.key);
        // To the end of the turn.
        lane.delete(namespace);
        if (works.size > 0) lane.set(namespace, works);
        return work;
      }
    }
    return undefined;
  }

  /** Resolves at the next `add` or `wake`. */
  woken(): Promise<undefined> {
    return this.#woken.promise;
  }

  wake(): void {
    this.#woken.resolve(undefined);
    this.#woken = Promise.withResolvers<undefined>();
  }
}
