import { metadataOf, type KubernetesObject, type Labels } from "../kubernetes/object.ts";
import type { VolumeObjectRef } from "../skill/source.ts";
import { FairMemory } from "../text/fair-memory.ts";
import { objectNames } from "../workload/pod/mounted-objects.ts";
import type { PodSubject } from "../workload/pod/pod-subject.ts";
import type { Shortfall } from "./judge-pod.ts";
import { readPod, versionNumber, type StoredPod } from "./stored-pod.ts";

/** A pod that went, and the version number of its deletion, if that was seen. */
export interface GonePod extends StoredPod {
  readonly until: bigint | undefined;
}

/** Pods that see the same files and are held to the same demands: judged once for all of them. */
export interface Shape {
  readonly id: string;
  readonly namespace: string;
  /** ConfigMaps by `namespace/name`. */
  readonly uses: readonly string[];
  /** By uid. */
  readonly pods: Map<string, StoredPod>;
  /** Pods that went while the shape was waiting to be judged: what they ran counts too. */
  readonly gone: Map<string, GonePod>;
  /** Policies that it does not meet; undefined until it is judged. */
  result: readonly Shortfall[] | undefined;
  /** Pieces of work that wait for it: until they are done it stays, though its last pod went. */
  holds: number;
}

interface KnownShape extends Shape {
  readonly files: string;
  /** The subject as JSON: half of the memory, and it is read only to judge. */
  readonly json: string;
  /** Characters that it takes without its pods. */
  readonly size: number;
}

interface KnownPod {
  readonly pod: StoredPod;
  /** Characters that it takes beside its shape. */
  readonly size: number;
  shape: KnownShape;
}

/** Key of a ConfigMap. */
export const configMapKey = ({ namespace, name }: Pick<VolumeObjectRef, "namespace" | "name">): string =>
  `${namespace}/${name}`;

const toJson = ({ imagesBefore, ...subject }: PodSubject): string =>
  JSON.stringify({ subject, images: imagesBefore === undefined ? undefined : [...imagesBefore] });

function fromJson(json: string): PodSubject {
  const { subject, images } = JSON.parse(json) as {
    readonly subject: PodSubject;
    readonly images?: readonly (readonly [string, string])[];
  };
  return images === undefined ? subject : { ...subject, imagesBefore: new Map(images) };
}

function shapeOf(id: string, files: string, subject: PodSubject): KnownShape {
  const uses = objectNames(subject).flatMap((ref) => (ref.kind === "ConfigMap" ? [configMapKey(ref)] : []));
  const json = toJson(subject);
  return {
    id,
    files,
    json,
    size: overhead * (1 + uses.length) + json.length,
    namespace: subject.namespace,
    uses,
    pods: new Map(),
    gone: new Map(),
    result: undefined,
    holds: 0,
  };
}

/** Equal for pods that are held to the same demands, by their labels. */
export type RuleOf = (labels: Labels) => string;

/** Said when there is no room for a pod. */
export const memoryIsFull =
  "the pods of the cluster take more than the memory for them, and some of the namespace that takes most are not judged once they are stored; look for pods with thousands of mounts, items or labels, and delete them";

/** Characters of all pods and shapes: of a thousand pods that are all different, one and a half million. */
const memoryLimit = 64 * 1024 * 1024;

/** Characters that each pod, shape and name counts beside its own. */
const overhead = 500;

/**
 * The stored pods by their shapes, and the shapes by the ConfigMaps that they use, in a bounded memory: every tenant can
 * store pods of a megabyte that are all different.
 */
export class Shapes {
  /** By `namespace/name`. */
  readonly #pods = new Map<string, KnownPod>();
  readonly #shapes = new Map<string, KnownShape>();
  readonly #users = new Map<string, Set<KnownShape>>();
  /** Keys of the pods for which there is no room. */
  readonly #leftOut = new Set<string>();
  readonly #memory: FairMemory;
  readonly #onFull: () => void;
  #ruleOf: RuleOf = () => "";

  /**
   * @param limit characters
   * @param onFull runs when there is no room for a pod, and again after there were none
   */
  constructor(limit: number = memoryLimit, onFull: () => void = () => undefined) {
    this.#memory = new FairMemory(limit);
    this.#onFull = onFull;
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

  /** The pod that stands for a shape. */
  subjectOf({ id, pods, gone }: Shape): PodSubject | undefined {
    const known = this.#shapes.get(id);
    if (known === undefined) return undefined;
    const [pod] = [...pods.values(), ...gone.values()];
    return { ...fromJson(known.json), labels: pod?.labels ?? {} };
  }

  /**
   * Adds or replaces a pod.
   * @returns its shape, if that is another one than before, and if there is room for the pod
   * @throws SourceError SOURCE_MALFORMED; the pod is then as before
   */
  put(key: string, object: KubernetesObject, namespace: string): Shape | undefined {
    const known = this.#pods.get(key);
    const seen = readPod(object, namespace, undefined);
    if (seen === undefined) return undefined;
    const isSame = known?.pod.uid === seen.pod.uid;
    const { pod, subject, files } =
      isSame && known.shape.files !== seen.files
        ? (readPod(object, namespace, fromJson(known.shape.json)) ?? seen)
        : seen;
    const id = this.#idOf(files, pod.labels);
    if (isSame && known.shape.id === id) return undefined;
    const wasFull = this.#leftOut.size > 0;
    this.remove(key);
    const made = this.#shapes.get(id) ?? shapeOf(id, files, subject);
    const size = overhead + key.length + JSON.stringify(pod.labels).length;
    const isNew = !this.#shapes.has(id);
    if (
      !this.#memory.makeRoom(size + (isNew ? made.size : 0), namespace, (other) =>
        this.#leaveOut(other, wasFull),
      )
    ) {
      this.#leaveOut(key, wasFull);
      return undefined;
    }
    const shape = this.#add(made);
    shape.pods.set(pod.uid, pod);
    this.#pods.set(key, { pod, size, shape });
    this.#memory.count(namespace, size, key);
    return shape;
  }

  /** @param pod as it was when it was deleted, if that was seen */
  remove(key: string, pod?: KubernetesObject): void {
    this.#leftOut.delete(key);
    const known = this.#pods.get(key);
    if (known === undefined) return;
    this.#pods.delete(key);
    this.#memory.release(known.shape.namespace, known.size, key);
    this.#leave(known, pod && versionNumber(metadataOf(pod)["resourceVersion"]));
  }

  #leaveOut(key: string, wasFull: boolean): void {
    this.remove(key);
    if (!wasFull && this.#leftOut.size === 0) this.#onFull();
    this.#leftOut.add(key);
  }

  /** Ends a piece of work on a shape. */
  release(shape: Shape): void {
    shape.holds -= 1;
    if (shape.holds === 0) shape.gone.clear();
    this.#dropIfUnused(shape);
  }

  /** Sorts the pods anew by the demands that they are held to. What was found stays until they are judged again. */
  regroup(ruleOf: RuleOf): void {
    this.#ruleOf = ruleOf;
    for (const known of this.#pods.values()) {
      const { pod, shape: before } = known;
      const id = this.#idOf(before.files, pod.labels);
      if (id === before.id) continue;
      this.#leave(known);
      const shape = this.#add(this.#shapes.get(id) ?? shapeOf(id, before.files, fromJson(before.json)));
      shape.result ??= before.result;
      shape.pods.set(pod.uid, pod);
      known.shape = shape;
    }
  }

  #idOf(files: string, labels: Labels): string {
    return `${files} ${this.#ruleOf(labels)}`;
  }

  #add(shape: KnownShape): KnownShape {
    if (this.#shapes.has(shape.id)) return shape;
    this.#shapes.set(shape.id, shape);
    for (const key of shape.uses) this.#users.set(key, (this.#users.get(key) ?? new Set()).add(shape));
    this.#memory.count(shape.namespace, shape.size);
    return shape;
  }

  #leave({ pod, shape }: KnownPod, until?: bigint): void {
    shape.pods.delete(pod.uid);
    if (shape.holds > 0) shape.gone.set(pod.uid, { ...pod, until });
    this.#dropIfUnused(shape);
  }

  #dropIfUnused({ id, pods, holds }: Shape): void {
    const shape = this.#shapes.get(id);
    if (shape === undefined || pods.size > 0 || holds > 0) return;
    this.#shapes.delete(id);
    this.#memory.release(shape.namespace, shape.size);
    for (const key of shape.uses) {
      const users = this.#users.get(key);
      users?.delete(shape);
      if (users?.size === 0) this.#users.delete(key);
    }
  }
}
