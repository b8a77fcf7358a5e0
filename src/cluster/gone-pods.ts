import type { VolumeObjectRef } from "../skill/source.ts";
import type { PodSubject } from "../workload/pod/pod-subject.ts";
import { PodMemory } from "./pod-memory.ts";

/** Characters of all of them: a rollout of ten thousand pods of a few templates takes a third. */
const memoryLimit = 16 * 1024 * 1024;
/** Milliseconds between two looks at which of them have let go. */
const sweepEvery = 1000;

/** Pods that were deleted, for as long as their nodes may keep what they mounted. */
export class GonePods {
  readonly #pods = new PodMemory(memoryLimit);
  /** Time at which its node has let go of it, by key. */
  readonly #until = new Map<string, number>();
  readonly #now: () => number;
  #added = 0;
  #swept = 0;

  /** @param now monotonic clock, milliseconds */
  constructor(now: () => number) {
    this.#now = now;
  }

  add(pod: PodSubject, seconds: number): void {
    if (this.#now() - this.#swept >= sweepEvery) this.#sweep();
    const key = String((this.#added += 1));
    this.#pods.put(key, pod);
    this.#until.set(key, this.#now() + seconds * 1000);
  }

  /**
   * Those that mounted an object.
   * @throws SourceError LIMIT_EXCEEDED if there was no room for all of the namespace
   */
  using(ref: VolumeObjectRef): readonly PodSubject[] {
    this.#sweep();
    return this.#pods.using(ref);
  }

  #sweep(): void {
    this.#swept = this.#now();
    for (const [key, until] of this.#until) {
      if (until > this.#swept) continue;
      this.#until.delete(key);
      this.#pods.delete(key);
    }
  }
}
