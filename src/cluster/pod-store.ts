import { uidOf, type KubernetesObject } from "../kubernetes/object.ts";
import type { VolumeObjectRef } from "../skill/source.ts";
import { podOf } from "../workload/carriers/pod-of.ts";
import type { PodSubject } from "../workload/pod/pod-subject.ts";
import { GonePods } from "./gone-pods.ts";
import { PodMemory } from "./pod-memory.ts";

/** Milliseconds until an expected pod is given up: other webhooks may take 30 s before it is stored. */
const expectedFor = 35_000;
/** Characters of all expected pods: every caller of the webhook can announce pods that never come. */
export const maxExpectedSize = 16 * 1024 * 1024;
/** Key prefix of an expected pod, before its uid: no namespace has such a name. */
const expectedPrefix = "?/";

interface Expected {
  /** Time at which it is given up. */
  readonly until: number;
  readonly size: number;
}

export interface PodStoreOptions {
  /** Monotonic clock, milliseconds. */
  readonly now?: () => number;
  /** Characters of all pods; default `podMemoryLimit`. */
  readonly limit?: number;
}

/**
 * Pods by the ConfigMaps and Secrets that they mount. One that has ended counts until it is deleted: its phase can be
 * written by whoever may write `pods/status`, while its containers run on.
 */
export class PodStore {
  readonly #pods: PodMemory;
  readonly #gone: GonePods;
  /** By key, in the order in which they are given up. */
  readonly #expected = new Map<string, Expected>();
  #expectedSize = 0;
  readonly #now: () => number;

  constructor({ now = () => performance.now(), limit }: PodStoreOptions = {}) {
    this.#pods = new PodMemory(limit);
    this.#gone = new GonePods(now);
    this.#now = now;
  }

  /** Number of pods kept: those that mount a ConfigMap or Secret. */
  get size(): number {
    return this.#pods.size;
  }

  /** Characters that they take. */
  get characters(): number {
    return this.#pods.characters;
  }

  /** Number of pods for which there is no room: of their namespaces `using` throws. */
  get leftOut(): number {
    return this.#pods.leftOut;
  }

  /**
   * Adds or replaces a pod.
   * @throws SourceError SOURCE_MALFORMED where it is not built like a pod
   */
  set(key: string, pod: KubernetesObject, namespace: string): void {
    this.#forget(`${expectedPrefix}${uidOf(pod)}`);
    this.#put(key, pod, namespace);
  }

  /**
   * Counts a pod that is admitted but not stored yet, until the watch shows its uid, 35 s have passed, or the
   * returned function is called. The API server chooses the uid before admission; a pod without one is not counted.
   * @throws SourceError as `set`
   */
  expect(pod: KubernetesObject, namespace: string): () => void {
    const uid = uidOf(pod);
    if (uid === "") return () => undefined;
    const key = `${expectedPrefix}${uid}`;
    this.#forget(key);
    const size = this.#put(key, pod, namespace);
    if (size === 0) return () => undefined;
    this.#expected.set(key, { until: this.#now() + expectedFor, size });
    this.#expectedSize += size;
    this.#dropExpected();
    return () => this.#forget(key);
  }

  #forget(key: string): void {
    const expected = this.#expected.get(key);
    if (expected === undefined) return;
    this.#expected.delete(key);
    this.#expectedSize -= expected.size;
    this.delete(key);
  }

  /** Drops expected pods whose time has passed, and the oldest above the bound on memory. */
  #dropExpected(): void {
    const now = this.#now();
    for (const [key, { until }] of this.#expected) {
      if (until > now && this.#expectedSize <= maxExpectedSize) return;
      this.#forget(key);
    }
  }

  /** Returns the characters that it takes by itself; 0: it is never asked for. */
  #put(key: string, pod: KubernetesObject, namespace: string): number {
    this.delete(key);
    // Items of a list carry no apiVersion and kind.
    const subject = podOf({ ...pod, apiVersion: "v1", kind: "Pod" }, namespace);
    return subject === undefined ? 0 : this.#pods.put(key, subject);
  }

  /** @param keptFor seconds for which its node may keep what it mounted */
  delete(key: string, keptFor = 0): void {
    const pod = keptFor > 0 ? this.#pods.get(key) : undefined;
    if (pod !== undefined) this.#gone.add(pod, keptFor);
    this.#pods.delete(key);
  }

  /** Keys of the pods that the watch has shown. */
  keys(): IteratorObject<string> {
    return this.#pods.keys().filter((key) => !key.startsWith(expectedPrefix));
  }

  /**
   * Pods that mount this object, expected ones included. Their specs hold what is read of stored pods, see
   * `reducedSpec`, and are one object for all pods of a template.
   * @throws SourceError LIMIT_EXCEEDED if there is no room for all pods of the namespace
   */
  using(ref: VolumeObjectRef): readonly PodSubject[] {
    this.#dropExpected();
    return this.#pods.using(ref);
  }

  /**
   * Pods that mounted this object and were deleted, and whose nodes may keep it still.
   * @throws SourceError LIMIT_EXCEEDED if there was no room for all pods of the namespace
   */
  gone(ref: VolumeObjectRef): readonly PodSubject[] {
    return this.#gone.using(ref);
  }
}
