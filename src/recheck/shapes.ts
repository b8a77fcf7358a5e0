import { metadataOf, type KubernetesObject, type Labels } from "../kubernetes/object.ts";
import type { VolumeObjectRef } from "../skill/source.ts";
import { FairMemory } from "../text/fair-memory.ts";
import type { PodSubject } from "../workload/pod/pod-subject.ts";
import { PastPods } from "./past-pods.ts";
import type { RecheckDeps } from "./ports.ts";
import { configMapKey, contentOf, overhead, subjectIn, type Shape, type ShapeContent } from "./shape.ts";
import { readPod, versionNumber, type ReadPod, type StoredPod } from "./stored-pod.ts";

interface KnownShape extends Shape {
  readonly files: string;
}

interface KnownPod {
  readonly key: string;
  readonly pod: StoredPod;
  /** Characters that it takes beside its shape. */
  readonly size: number;
  readonly shape: KnownShape;
}

/** Equal for pods that are held to the same demands, by their labels. */
export type RuleOf = (labels: Labels) => string;

/** Said when there is no room for a pod. */
const memoryIsFull =
  "the pods of the cluster take more than the memory for them, and some of the namespace that takes most are not judged once they are stored; look for pods with thousands of mounts, items or labels, and delete them";

/** Tells ports how many pods are left out, and in words when the first ones are. */
export const leftOutTo =
  ({ onLeftOut, onProblem }: Pick<RecheckDeps, "onLeftOut" | "onProblem">) =>
  (pods: number, before: number): void => {
    onLeftOut(pods);
    if (before === 0) onProblem(memoryIsFull);
  };

/** Characters of all pods and shapes: of a thousand pods that are all different, one and a half million. */
const memoryLimit = 64 * 1024 * 1024;

/** The API server lists labels in one order. */
const isSame = (labels: Labels, others: Labels): boolean => JSON.stringify(labels) === JSON.stringify(others);

/** A pod with the images that its containers had in the shape where it was before. */
function withImagesBefore(seen: ReadPod, object: KubernetesObject, shape: KnownShape | undefined): ReadPod {
  if (shape?.content === undefined || shape.files === seen.files) return seen;
  return readPod(object, seen.pod.namespace, subjectIn(shape.content)) ?? seen;
}

/** What was found of one shape is so of another, until that is judged. */
function takeOver(shape: Shape, { result, seen }: Shape): void {
  if (shape.result !== undefined || result === undefined) return;
  shape.result = result;
  shape.seen = seen;
}

/** Receives what is said of pods that are not judged. */
export interface ShapesHooks {
  /** Runs when another number of pods have no room than before. */
  readonly onLeftOut?: (pods: number, before: number) => void;
  /** Runs for each pod that went before what it ran was judged, and for which there is no room until then. */
  readonly onForgotten?: (namespace: string) => void;
}

/**
 * The stored pods by their shapes, and the shapes by the ConfigMaps that they use, in a bounded memory: every tenant can
 * store pods of a megabyte that are all different.
 */
export class Shapes {
  /** By `namespace/name`. */
  readonly #pods = new Map<string, KnownPod>();
  readonly #shapes = new Map<string, KnownShape>();
  readonly #users = new Map<string, Set<Shape>>();
  /** Keys of the pods for which there is no room. */
  readonly #leftOut = new Set<string>();
  readonly #past = new PastPods();
  readonly #memory: FairMemory;
  readonly #hooks: ShapesHooks;
  #ruleOf: RuleOf = () => "";

  /** @param limit characters */
  constructor(limit: number = memoryLimit, hooks: ShapesHooks = {}) {
    this.#memory = new FairMemory(limit);
    this.#hooks = hooks;
  }

  /** Number of pods for which there is no room: they are not judged until they change. */
  get leftOut(): number {
    return this.#leftOut.size;
  }

  /** Number of pods. */
  get size(): number {
    return this.#pods.size;
  }

  all(): IteratorObject<Shape> {
    return this.#shapes.values();
  }

  /** Keys of all pods, those that are left out included. */
  *keys(): Generator<string> {
    yield* this.#pods.keys();
    yield* this.#leftOut;
  }

  using(ref: VolumeObjectRef): readonly Shape[] {
    return [...(this.#users.get(configMapKey(ref)) ?? [])];
  }

  /** The version number at which a pod came into sight. */
  sinceOf(key: string): bigint {
    return this.#pods.get(key)?.pod.since ?? 0n;
  }

  /** The pod that stands for a shape; undefined if it has no pods any more. */
  subjectOf({ content }: Shape): PodSubject | undefined {
    return content && subjectIn(content);
  }

  /**
   * Adds or replaces a pod.
   * @returns its shape, if that is another one than before, and if there is room for the pod
   * @throws SourceError SOURCE_MALFORMED; the pod is then as before
   */
  put(key: string, object: KubernetesObject, namespace: string): Shape | undefined {
    return this.#counting(() => this.#put(key, object, namespace));
  }

  /** Tells if another number of pods are left out than before. */
  #counting<T>(work: () => T): T {
    const before = this.leftOut;
    const result = work();
    if (this.leftOut !== before) this.#hooks.onLeftOut?.(this.leftOut, before);
    return result;
  }

  #put(key: string, object: KubernetesObject, namespace: string): Shape | undefined {
    const seen = readPod(object, namespace, undefined);
    if (seen === undefined) return undefined;
    const known = this.#pods.get(key);
    const same = known?.pod.uid === seen.pod.uid ? known : undefined;
    const { pod, subject, files } = withImagesBefore(seen, object, same?.shape);
    const stays = same?.shape.id === this.#idOf(files, pod.labels);
    if (!stays) return this.#replace(key, pod, subject, files);
    if (isSame(same.pod.labels, pod.labels)) return undefined;
    // It came when it came, whatever its labels are since.
    const shape = this.#replace(key, { ...pod, since: same.pod.since }, subject, files);
    if (shape !== undefined) takeOver(shape, same.shape);
    return undefined;
  }

  #replace(key: string, pod: StoredPod, subject: PodSubject, files: string): Shape | undefined {
    const { namespace, labels } = pod;
    this.#remove(key);
    const id = this.#idOf(files, labels);
    const present = this.#shapes.get(id)?.content;
    const content = present ?? contentOf(subject);
    const size = overhead + key.length + JSON.stringify(labels).length;
    const room = size + (present === undefined ? content.size : 0);
    if (!this.#memory.makeRoom(room, namespace, (other) => this.#leaveOut(other))) {
      this.#leaveOut(key);
      return undefined;
    }
    this.#memory.count(namespace, size, key);
    return this.#join({ key, pod, size }, files, content);
  }

  /** @param pod as it was when it was deleted, if that was seen */
  remove(key: string, pod?: KubernetesObject): void {
    this.#counting(() => this.#remove(key, pod));
  }

  #remove(key: string, pod?: KubernetesObject): void {
    this.#leftOut.delete(key);
    const known = this.#take(key);
    if (known === undefined) return;
    if (!this.#leave(known, pod && versionNumber(metadataOf(pod)["resourceVersion"])))
      this.#hooks.onForgotten?.(known.pod.namespace);
  }

  /** Ends a piece of work on a shape. */
  release(shape: Shape): void {
    shape.holds -= 1;
    if (shape.holds === 0) this.#past.forget(shape);
    this.#dropIfUnused(shape);
  }

  /** Sorts the pods anew by the demands that they are held to. What was found stays until they are judged again. */
  regroup(ruleOf: RuleOf): void {
    this.#ruleOf = ruleOf;
    for (const known of [...this.#pods.values()]) {
      const { pod, shape: before } = known;
      const { content, files, id } = before;
      if (content === undefined || this.#idOf(files, pod.labels) === id) continue;
      this.#leave(known);
      const after = this.#join(known, files, contentOf({ ...subjectIn(content), labels: pod.labels }));
      takeOver(after, before);
    }
  }

  #idOf(files: string, labels: Labels): string {
    return `${files} ${this.#ruleOf(labels)}`;
  }

  #join({ key, pod, size }: Omit<KnownPod, "shape">, files: string, content: ShapeContent): Shape {
    const { namespace, uid, labels } = pod;
    const id = this.#idOf(files, labels);
    const none = {
      pods: new Map(),
      gone: new Map(),
      content: undefined,
      result: undefined,
      holds: 0,
      seen: [],
    };
    const shape = this.#shapes.get(id) ?? { id, files, namespace, ...none };
    this.#shapes.set(id, shape);
    if (shape.content === undefined) {
      shape.content = content;
      this.#memory.count(namespace, content.size);
      for (const used of content.uses) this.#users.set(used, (this.#users.get(used) ?? new Set()).add(shape));
    }
    shape.gone.delete(uid);
    shape.pods.set(uid, pod);
    this.#pods.set(key, { key, pod, size, shape });
    return shape;
  }

  /** Takes a pod out, but not yet out of its shape. */
  #take(key: string): KnownPod | undefined {
    const known = this.#pods.get(key);
    if (known === undefined) return undefined;
    this.#pods.delete(key);
    this.#memory.release(known.pod.namespace, known.size, key);
    return known;
  }

  #leaveOut(key: string): void {
    const known = this.#take(key);
    known?.shape.pods.delete(known.pod.uid);
    if (known !== undefined) this.#dropIfUnused(known.shape);
    this.#leftOut.add(key);
  }

  /** Returns false if work waits that would have concerned the pod, and there is no room to keep it until then. */
  #leave({ pod, size, shape }: KnownPod, until?: bigint): boolean {
    shape.pods.delete(pod.uid);
    const isKept = shape.holds === 0 || this.#past.keep(shape, { ...pod, until }, size);
    this.#dropIfUnused(shape);
    return isKept;
  }

  /** Drops what is kept of a shape that has no pods; the shape itself with the last work that waits for it. */
  #dropIfUnused(shape: Shape): void {
    const { id, namespace, pods, gone, content, holds } = shape;
    if (pods.size + gone.size > 0) return;
    if (holds === 0) this.#shapes.delete(id);
    if (content === undefined) return;
    shape.content = undefined;
    this.#memory.release(namespace, content.size);
    for (const key of content.uses) {
      const users = this.#users.get(key);
      users?.delete(shape);
      if (users?.size === 0) this.#users.delete(key);
    }
  }
}
