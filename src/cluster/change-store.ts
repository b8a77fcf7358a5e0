import { isSettled, type ExpectedChange } from "../evaluation/cluster-view.ts";
import { volumeObjectKey } from "../kubernetes/volume-object.ts";
import type { VolumeObjectRef } from "../skill/source.ts";
import { isFields } from "../text/fields.ts";

/** Milliseconds until an expected change is given up: other webhooks may take 30 s before it is stored. */
const expectedFor = 35_000;

/** Characters and changes that are remembered at most: of one namespace, and of all. */
export const changeLimits = {
  shareCharacters: 4 * 1024 * 1024,
  shareChanges: 1000,
  allCharacters: 64 * 1024 * 1024,
} as const;

interface Remembered {
  readonly change: ExpectedChange;
  readonly key: string;
  readonly size: number;
  readonly until: number;
}

const keyOf = (ref: VolumeObjectRef): string => `${ref.namespace}/${volumeObjectKey(ref)}`;

/** Characters of all values and keys, and some for the rest. */
function sizeOf({ object }: ExpectedChange): number {
  let size = 1000;
  for (const field of ["data", "binaryData"]) {
    const section = object[field];
    if (!isFields(section)) continue;
    for (const [key, value] of Object.entries(section))
      size += key.length + (typeof value === "string" ? value.length : 0);
  }
  return size;
}

/**
 * Changes that were let through and are not known to be stored. Nothing is ever evicted for another change: a tenant can
 * have any number of changes reviewed that are refused afterwards, by a quota or another webhook.
 */
export class ChangeStore {
  /** By namespace, in the order in which they are given up. */
  readonly #shares = new Map<string, Set<Remembered>>();
  readonly #byObject = new Map<string, Set<Remembered>>();
  #size = 0;
  readonly #now: () => number;

  /** @param now monotonic clock, milliseconds */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** Number of changes that are remembered. */
  get size(): number {
    return this.#shares.values().reduce((sum, { size }) => sum + size, 0);
  }

  /** Remembers a change. Returns what forgets it; undefined if the namespace's share, or the memory of all, is full. */
  add(change: ExpectedChange): (() => void) | undefined {
    const { namespace } = change.ref;
    this.#dropLate();
    const share = this.#shares.get(namespace) ?? new Set();
    const size = sizeOf(change);
    const used = share.values().reduce((sum, one) => sum + one.size, 0);
    if (share.size >= changeLimits.shareChanges || used + size > changeLimits.shareCharacters)
      return undefined;
    if (this.#size + size > changeLimits.allCharacters) return undefined;
    const key = keyOf(change.ref);
    const one = { change, key, size, until: this.#now() + expectedFor };
    this.#shares.set(namespace, share.add(one));
    this.#byObject.set(key, (this.#byObject.get(key) ?? new Set()).add(one));
    this.#size += size;
    return () => this.#forget(one);
  }

  /** Remembered changes of an object. */
  of(ref: VolumeObjectRef): readonly ExpectedChange[] {
    if (this.#size === 0) return [];
    this.#dropLate();
    return [...(this.#byObject.get(keyOf(ref)) ?? [])].map(({ change }) => change);
  }

  /** Objects of a namespace with remembered changes. */
  objectsIn(namespace: string): readonly VolumeObjectRef[] {
    const refs = [...(this.#shares.get(namespace) ?? [])].map(
      ({ change, key }) => [key, change.ref] as const,
    );
    return [...new Map(refs).values()];
  }

  /**
   * Starts a consistent read. The returned function takes note of what it has shown: the object's identity, or undefined
   * if there is none. It tells nothing of changes that were added meanwhile: these may come after it.
   */
  reading(ref: VolumeObjectRef): (identity: string | undefined) => void {
    const known = [...(this.#byObject.get(keyOf(ref)) ?? [])];
    return (identity) => {
      for (const one of known) if (isSettled(one.change, identity)) this.#forget(one);
    };
  }

  #dropLate(): void {
    const now = this.#now();
    for (const share of this.#shares.values()) {
      for (const one of share) {
        if (one.until > now) break;
        this.#forget(one);
      }
    }
  }

  #forget(one: Remembered): void {
    const { namespace } = one.change.ref;
    const share = this.#shares.get(namespace);
    if (share?.delete(one) !== true) return;
    this.#size -= one.size;
    if (share.size === 0) this.#shares.delete(namespace);
    const alike = this.#byObject.get(one.key);
    alike?.delete(one);
    if (alike?.size === 0) this.#byObject.delete(one.key);
  }
}
