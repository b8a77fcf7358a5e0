import { SourceError } from "../skill/source-error.ts";
import type { SkillSource, VolumeObject } from "../skill/source.ts";
import { memoizeByObject } from "../text/memoize-by-object.ts";

/** Reads in flight of all reviews together: each may take several times its object in memory. */
const readsAtOnce = 8;

/** Bytes of objects that all reviews together hold, before further ones wait; one that several hold counts once. */
const heldBytes = 64 * 1024 * 1024;

/** The reads of one review. */
export interface HeldReads extends SkillSource {
  /** Gives all objects back. Safe to call twice. */
  release(): void;
}

/** One review with its objects, and the namespace whose share they count for. */
interface Owner {
  readonly namespace: string;
  readonly objects: Set<VolumeObject>;
}

interface Waiting {
  readonly owner: Owner;
  readonly begin: () => void;
}

const late = (): SourceError =>
  new SourceError("TIMEOUT", "too many large objects are read for other reviews at once; try again");

/**
 * Bounds the memory of the objects that all reviews read. Each review may hold 64 MiB (`podLimits`), and hundreds run at
 * once: above the budget they take turns. The oldest that holds anything always goes on, so that reviews never wait for
 * each other. So do the reviews of a namespace that holds less than its equal share: one tenant's large pods keep nobody
 * else waiting. All together hold twice the budget and one review's limit at most.
 */
export class ReadBudget {
  readonly #limits: { readonly readsAtOnce: number; readonly heldBytes: number };
  /** Reviews that hold anything, the oldest first. */
  readonly #holders = new Set<Owner>();
  /** Number of reviews that hold an object. */
  readonly #held = new Map<VolumeObject, number>();
  /** Of each namespace whose reviews hold or read anything. */
  readonly #shares = new Map<string, { bytes: number; reading: number }>();
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
   * @param namespace of the review
   * @returns a source that throws SourceError TIMEOUT if the signal aborts while a read waits
   */
  open(source: SkillSource, namespace: string): HeldReads {
    const owner: Owner = { namespace, objects: new Set() };
    let released = false;
    return {
      read: async (request, signal) => {
        await this.#turn(owner, signal);
        try {
          const object = await source.read(request, signal);
          // A review that failed may still have reads in flight.
          if (object !== undefined && !released) this.#hold(owner, object);
          return object;
        } finally {
          this.#reads(owner, -1);
          this.#wake();
        }
      },
      release: () => {
        released = true;
        for (const object of owner.objects) this.#drop(owner, object);
        this.#holders.delete(owner);
        this.#wake();
      },
    };
  }

  #hold(owner: Owner, object: VolumeObject): void {
    if (owner.objects.has(object)) return;
    owner.objects.add(object);
    this.#holders.add(owner);
    const bytes = sizeOf(object);
    const others = this.#held.get(object) ?? 0;
    this.#held.set(object, others + 1);
    if (others === 0) this.#bytes += bytes;
    this.#share(owner, { bytes });
  }

  #drop(owner: Owner, object: VolumeObject): void {
    owner.objects.delete(object);
    const bytes = sizeOf(object);
    const others = (this.#held.get(object) ?? 1) - 1;
    if (others > 0) {
      this.#held.set(object, others);
    } else {
      this.#held.delete(object);
      this.#bytes -= bytes;
    }
    this.#share(owner, { bytes: -bytes });
  }

  #reads(owner: Owner, more: 1 | -1): void {
    this.#reading += more;
    this.#share(owner, { reading: more });
  }

  #share({ namespace }: Owner, { bytes = 0, reading = 0 }: { bytes?: number; reading?: number }): void {
    const share = this.#shares.get(namespace) ?? { bytes: 0, reading: 0 };
    share.bytes += bytes;
    share.reading += reading;
    if (share.bytes === 0 && share.reading === 0) this.#shares.delete(namespace);
    else this.#shares.set(namespace, share);
  }

  #mayBegin(owner: Owner): boolean {
    const { heldBytes, readsAtOnce } = this.#limits;
    if (this.#reading >= readsAtOnce) return false;
    const [oldest] = this.#holders;
    if (this.#bytes < heldBytes || oldest === undefined || oldest === owner) return true;
    const share = this.#shares.get(owner.namespace);
    const namespaces = this.#shares.size + (share === undefined ? 1 : 0);
    return (share?.bytes ?? 0) < heldBytes / namespaces;
  }

  /** Waits for a place among the reads; the caller counts it down. */
  async #turn(owner: Owner, signal: AbortSignal): Promise<void> {
    if (signal.aborted) throw late();
    if (this.#mayBegin(owner)) {
      this.#reads(owner, 1);
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

  /** Lets those begin that now may: of the namespace that reads least first, and of one in the order in which they came. */
  #wake(): void {
    for (let next = this.#next(); next !== undefined; next = this.#next()) {
      this.#waiting.delete(next);
      this.#reads(next.owner, 1);
      next.begin();
    }
  }

  #next(): Waiting | undefined {
    if (this.#waiting.size === 0 || this.#reading >= this.#limits.readsAtOnce) return undefined;
    let next: Waiting | undefined;
    let fewest = Infinity;
    for (const waiting of this.#waiting) {
      const reading = this.#shares.get(waiting.owner.namespace)?.reading ?? 0;
      if (reading >= fewest || !this.#mayBegin(waiting.owner)) continue;
      [next, fewest] = [waiting, reading];
      if (fewest === 0) break;
    }
    return next;
  }
}

const sizeOf = memoizeByObject(({ files }: VolumeObject): number =>
  files.values().reduce((sum, { size }) => sum + size + 200, 500),
);
