import { FairMemory } from "../text/fair-memory.ts";
import { configMapKey } from "./shape.ts";
import type { StoredVersion } from "./ports.ts";
import { versionNumber } from "./stored-pod.ts";

/** Milliseconds for which a replaced version is remembered: two watches do not bring what they show in one order. */
const rememberedFor = 60_000;
/** Versions of one ConfigMap at most: of one that changes a hundred times a second, those of ten seconds. */
const maxVersions = 1_000;
/** Characters of all: of fifty thousand versions. */
const memoryLimit = 16 * 1024 * 1024;
/** Characters that each version, and each ConfigMap beside its name, counts. */
const overhead = 300;

interface Remembered {
  readonly version: StoredVersion;
  readonly at: number;
  /** Number of the version that replaced it; absent while it is the latest. */
  replacedBy?: bigint;
}

/** Versions of one ConfigMap, in their order. */
interface History {
  readonly namespace: string;
  readonly versions: readonly Remembered[];
  readonly size: number;
}

/** A version that has been replaced, and by which. */
export interface ReplacedVersion {
  readonly version: StoredVersion;
  readonly replacedBy: bigint;
}

/**
 * The names of ConfigMap versions that were stored lately, in a bounded memory. A pod that was stored while a version was
 * in force may come into sight after that version was replaced: it is to be judged by it all the same.
 */
export class RecentVersions {
  /** The one that changed last is the last. */
  readonly #byObject = new Map<string, History>();
  readonly #memory: FairMemory;
  readonly #now: () => number;

  /**
   * @param now milliseconds
   * @param limit characters
   */
  constructor(now: () => number, limit: number = memoryLimit) {
    this.#now = now;
    this.#memory = new FairMemory(limit);
  }

  /** Number of ConfigMaps. */
  get size(): number {
    return this.#byObject.size;
  }

  /** Takes note of a version that was stored. */
  add(version: StoredVersion): void {
    this.replaced(version);
    this.#dropOld();
    const { namespace } = version.ref;
    const key = configMapKey(version.ref);
    const known = this.#byObject.get(key);
    this.#drop(key);
    const before = this.#now() - rememberedFor;
    // What one was replaced by tells for how long it was in force.
    const kept = (known?.versions ?? [])
      .filter((_, index, all) => (all[index + 1]?.at ?? Infinity) >= before)
      .slice(1 - maxVersions);
    const ref = kept[0]?.version.ref ?? version.ref;
    const versions = [...kept, { version: { ...version, ref }, at: this.#now() }];
    const size = overhead * (1 + versions.length) + 2 * key.length;
    if (!this.#hasRoom(size, namespace)) return;
    this.#memory.count(namespace, size, key);
    this.#byObject.set(key, { namespace, versions, size });
  }

  /** Takes note that the latest version ended, with the version of the deletion. */
  replaced({ ref, resourceVersion }: StoredVersion): void {
    const last = this.#byObject.get(configMapKey(ref))?.versions.at(-1);
    if (last !== undefined) last.replacedBy ??= versionNumber(resourceVersion);
  }

  /** The version that is in force, if it was stored lately. */
  latest(ref: StoredVersion["ref"]): StoredVersion | undefined {
    const last = this.#byObject.get(configMapKey(ref))?.versions.at(-1);
    return last?.replacedBy === undefined ? last?.version : undefined;
  }

  /** Number of the version that replaced this one; undefined if it is the latest, or not remembered. */
  replacedBy({ ref, resourceVersion }: StoredVersion): bigint | undefined {
    return this.#byObject
      .get(configMapKey(ref))
      ?.versions.find(({ version }) => version.resourceVersion === resourceVersion)?.replacedBy;
  }

  /** Versions of an object that were still in force at this version number, and are no more. */
  inForceSince(key: string, since: bigint): readonly ReplacedVersion[] {
    return (this.#byObject.get(key)?.versions ?? []).flatMap(({ version, replacedBy }) =>
      replacedBy !== undefined && replacedBy > since ? [{ version, replacedBy }] : [],
    );
  }

  /** Makes room by what changed longest ago, of the namespace that has most. */
  #hasRoom(size: number, namespace: string): boolean {
    while (!this.#memory.makeRoom(size, namespace, (key) => this.#drop(key))) {
      const own = this.#memory.oldest(namespace);
      if (own === undefined) return false;
      this.#drop(own);
    }
    return true;
  }

  #dropOld(): void {
    const before = this.#now() - rememberedFor;
    for (const [key, { versions }] of this.#byObject) {
      if ((versions.at(-1)?.at ?? 0) >= before) return;
      this.#drop(key);
    }
  }

  #drop(key: string): void {
    const known = this.#byObject.get(key);
    if (known === undefined) return;
    this.#byObject.delete(key);
    this.#memory.release(known.namespace, known.size, key);
  }
}
