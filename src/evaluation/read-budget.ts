import { SourceError } from "../skill/source-error.ts";
import type { SkillSource, VolumeObject } from "../skill/source.ts";

/** Reads in flight of all reviews together: each may have an answer of some 3 MiB in memory. */
const readsAtOnce = 32;

/** Bytes of objects that all reviews together hold, before further ones wait. */
const heldBytes = 64 * 1024 * 1024;

/** The reads of one review. */
export interface HeldReads extends SkillSource {
  /** Gives all objects back. Safe to call twice. */
  release(): void;
}

interface Waiting {
  readonly owner: object;
  readonly begin: () => void;
}

const late = (): SourceError =>
  new SourceError("TIMEOUT", "too many large objects are read for other reviews at once; try again");

/**
 * Bounds the memory of the objects that all reviews read. Each review may hold 64 MiB (`podLimits`), and hundreds run at
 * once: above the budget they take turns. The oldest that holds anything always goes on, so that reviews never wait for
 * each other; all together hold the budget and one review's limit at most.
 */
export class ReadBudget {
  readonly #limits: { readonly readsAtOnce: number; readonly heldBytes: number };
  /** Bytes held by each review, the oldest first. */
  readonly #held = new Map<object, number>();
  readonly #waiting = new Set<Waiting>();
  #bytes = 0;
  #reading = 0;

  constructor(limits: Partial<{ readonly readsAtOnce: number; readonly heldBytes: number }> = {}) {
    this.#limits = { readsAtOnce, heldBytes, ...limits };
  }

  /** Bytes that reviews hold now. */
  get bytes(): number {
    return this.#bytes;
  }

  /**
   * Begins a review: each read waits until there is room for it, and its object counts until `release`.
   * @returns a source that throws SourceError TIMEOUT if the signal aborts while a read waits
   */
  open(source: SkillSource): HeldReads {
    const owner = {};
    const objects = new Set<VolumeObject>();
    let released = false;
    return {
      read: async (request, signal) => {
        await this.#turn(owner, signal);
        try {
          const object = await source.read(request, signal);
          // A review that failed may still have reads in flight.
          if (object !== undefined && !released && !objects.has(object)) {
            objects.add(object);
            this.#hold(owner, sizeOf(object));
          }
          return object;
        } finally {
          this.#reading -= 1;
          this.#wake();
        }
      },
      release: () => {
        released = true;
        this.#bytes -= this.#held.get(owner) ?? 0;
        this.#held.delete(owner);
        objects.clear();
        this.#wake();
      },
    };
  }

  #hold(owner: object, bytes: number): void {
    this.#held.set(owner, (this.#held.get(owner) ?? 0) + bytes);
    this.#bytes += bytes;
  }

  #mayBegin(owner: object): boolean {
    if (this.#reading >= this.#limits.readsAtOnce) return false;
    const [oldest] = this.#held.keys();
    return this.#bytes < this.#limits.heldBytes || oldest === undefined || oldest === owner;
  }

  /** Waits for a place among the reads; the caller counts it down. */
  async #turn(owner: object, signal: AbortSignal): Promise<void> {
    if (signal.aborted) throw late();
    if (this.#mayBegin(owner)) {
      this.#reading += 1;
      return;
    }
    const { promise, resolve, reject } = Promise.withResolvers<undefined>();
    const waiting: Waiting = { owner, begin: () => resolve(undefined) };
    const onAbort = (): void => {
      this.#waiting.delete(waiting);
      reject(late());
    };
    this.#waiting.add(waiting);
    signal.addEventListener("abort", onAbort, { once: true });
    await promise;
    signal.removeEventListener("abort", onAbort);
  }

  /** Lets those begin that now may, in the order in which they came. */
  #wake(): void {
    for (const waiting of this.#waiting) {
      if (this.#reading >= this.#limits.readsAtOnce) return;
      if (!this.#mayBegin(waiting.owner)) continue;
      this.#waiting.delete(waiting);
      this.#reading += 1;
      waiting.begin();
    }
  }
}

const sizeOf = ({ files }: VolumeObject): number =>
  files.values().reduce((sum, { size }) => sum + size + 200, 500);
