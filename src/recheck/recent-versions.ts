import { configMapKey } from "./shapes.ts";
import type { StoredVersion } from "./ports.ts";
import { versionNumber } from "./stored-pod.ts";

/** Milliseconds for which a replaced version is remembered: two watches do not bring what they show in one order. */
const rememberedFor = 60_000;
/** ConfigMaps of which versions are remembered, and versions of one, at most. */
const maxObjects = 10_000;
const maxVersions = 100;

interface Remembered {
  readonly version: StoredVersion;
  readonly at: number;
  /** Number of the version that replaced it; absent while it is the latest. */
  replacedBy?: bigint;
}

/** A version that has been replaced, and by which. */
export interface ReplacedVersion {
  readonly version: StoredVersion;
  readonly replacedBy: bigint;
}

/**
 * The names of ConfigMap versions that were stored lately. A pod that was stored while a version was in force may come
 * into sight after that version was replaced: it is to be judged by it all the same.
 */
export class RecentVersions {
  readonly #byObject = new Map<string, Remembered[]>();
  readonly #now: () => number;

  /** @param now milliseconds */
  constructor(now: () => number) {
    this.#now = now;
  }

  get size(): number {
    return this.#byObject.size;
  }

  /** Takes note of a version that was stored. */
  add(version: StoredVersion): void {
    this.replaced(version);
    const key = configMapKey(version.ref);
    const versions = this.#byObject.get(key) ?? [];
    versions.push({ version, at: this.#now() });
    if (versions.length > maxVersions) versions.shift();
    // The one that changed last is the last to be dropped.
    this.#byObject.delete(key);
    this.#byObject.set(key, versions);
    this.#drop();
  }

  /** Takes note that the latest version ended, with the version of the deletion. */
  replaced({ ref, resourceVersion }: StoredVersion): void {
    const last = this.#byObject.get(configMapKey(ref))?.at(-1);
    if (last !== undefined) last.replacedBy ??= versionNumber(resourceVersion);
  }

  /** The version that is in force, if it was stored lately. */
  latest(ref: StoredVersion["ref"]): StoredVersion | undefined {
    const last = this.#byObject.get(configMapKey(ref))?.at(-1);
    return last?.replacedBy === undefined ? last?.version : undefined;
  }

  /** Number of the version that replaced this one; undefined if it is the latest, or not remembered. */
  replacedBy({ ref, resourceVersion }: StoredVersion): bigint | undefined {
    return this.#byObject
      .get(configMapKey(ref))
      ?.find(({ version }) => version.resourceVersion === resourceVersion)?.replacedBy;
  }

  /** Versions of an object that were still in force at this version number, and are no more. */
  inForceSince(key: string, since: bigint): readonly ReplacedVersion[] {
    return (this.#byObject.get(key) ?? []).flatMap(({ version, replacedBy }) =>
      replacedBy !== undefined && replacedBy > since ? [{ version, replacedBy }] : [],
    );
  }

  #drop(): void {
    const before = this.#now() - rememberedFor;
    for (const [key, versions] of this.#byObject) {
      const isOld = (versions.at(-1)?.at ?? 0) < before;
      if (!isOld && this.#byObject.size <= maxObjects) return;
      this.#byObject.delete(key);
    }
  }
}
