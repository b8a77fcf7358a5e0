/** What one owner takes of the memory. */
interface Home {
  /** Of the items that may be dropped. */
  readonly keys: Set<string>;
  size: number;
}

/**
 * Counts what items take by their owners, such as pods by their namespaces, and finds room: of the owner that has most,
 * so that nobody takes it from one who has less.
 */
export class FairMemory {
  readonly #limit: number;
  readonly #homes = new Map<string, Home>();
  #size = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** What all items take. */
  get size(): number {
    return this.#size;
  }

  /**
   * Makes room for an owner.
   * @param drop takes an item out by its key, and releases what it took
   * @returns whether there is room
   */
  makeRoom(size: number, owner: string, drop: (key: string) => void): boolean {
    while (this.#size + size > this.#limit) {
      const own = this.#homes.get(owner)?.size ?? 0;
      const most = this.#homes.values().reduce((one, other) => (other.size > one.size ? other : one), {
        keys: new Set<string>(),
        size: 0,
      });
      const [key] = most.keys;
      if (key === undefined || most.size <= own + size) return false;
      drop(key);
    }
    return true;
  }

  /** Counts an item; without a key one that cannot be dropped. */
  count(owner: string, size: number, key?: string): void {
    const home = this.#homes.get(owner) ?? { keys: new Set(), size: 0 };
    this.#homes.set(owner, home);
    if (key !== undefined) home.keys.add(key);
    this.#add(home, size);
  }

  /** The owner's item that was counted first, of those that may be dropped. */
  oldest(owner: string): string | undefined {
    return this.#homes.get(owner)?.keys.values().next().value;
  }

  /** Counts it no more. */
  release(owner: string, size: number, key?: string): void {
    const home = this.#homes.get(owner);
    if (home === undefined) return;
    if (key !== undefined) home.keys.delete(key);
    this.#add(home, -size);
    if (home.size <= 0) this.#homes.delete(owner);
  }

  #add(home: Home, size: number): void {
    home.size += size;
    this.#size += size;
  }
}
