import { LRUCache } from "lru-cache";

/** An Event that was written or will be, and how often it has come again. Times of `seen` and `due` are monotonic. */
export interface RecordedEvent {
  readonly namespace: string;
  readonly path: string;
  count: number;
  /** The count that the API server has. */
  written: number;
  lastAt: number;
  /** Time of the last denial. */
  seen: number;
  /** Time of the next write of its count. */
  due: number;
}

export interface MemoryLimits {
  /** Maximum remembered keys. */
  readonly remembered: number;
  /** Time after which a repeated denial begins a new Event, milliseconds. */
  readonly forget: number;
}

/** The Events of late, each by several keys: one that comes again under any of them counts there. */
export class RecordedEvents {
  readonly #forget: number;
  readonly #known: LRUCache<string, RecordedEvent>;

  constructor({ remembered, forget }: MemoryLimits) {
    this.#forget = forget;
    this.#known = new LRUCache({ max: remembered });
  }

  set(key: string, event: RecordedEvent): void {
    this.#known.set(key, event);
  }

  /** Counts a denial in the Event of this key; false if there is none of late. */
  repeats(key: string, now: number, at: number): boolean {
    const known = this.#known.get(key);
    if (known === undefined || now - known.seen >= this.#forget) return false;
    known.count += 1;
    known.seen = now;
    known.lastAt = at;
    return true;
  }

  /** Counts an Event in another one that has the key already; false, and the key is its own, if none has. */
  joins(key: string, event: RecordedEvent): boolean {
    const other = this.#known.get(key);
    if (other === event) return false;
    if (other === undefined || event.seen - other.seen >= this.#forget) {
      this.set(key, event);
      return false;
    }
    other.count += event.count;
    other.seen = Math.max(other.seen, event.seen);
    other.lastAt = Math.max(other.lastAt, event.lastAt);
    for (const [known, value] of [...this.#known.entries()]) if (value === event) this.set(known, other);
    return true;
  }

  drop(event: RecordedEvent): void {
    for (const [key, value] of [...this.#known.entries()]) if (value === event) this.#known.delete(key);
  }

  /** The Events whose counts are to be written, those that wait longest first; forgets what comes no more. */
  due(now: number): readonly RecordedEvent[] {
    const due = new Set<RecordedEvent>();
    for (const [key, event] of [...this.#known.entries()]) {
      if (event.count > event.written) {
        if (now >= event.due) due.add(event);
      } else if (now - event.seen >= this.#forget) this.#known.delete(key);
    }
    return [...due].sort((one, other) => one.due - other.due);
  }
}
