import type { KubernetesObject, Labels } from "../kubernetes/object.ts";
import type { VolumeObjectRef } from "../skill/source.ts";
import { objectNames } from "../workload/pod/mounted-objects.ts";
import type { PodSubject } from "../workload/pod/pod-subject.ts";
import type { Shortfall } from "./judge-pod.ts";
import { readPod, type StoredPod } from "./stored-pod.ts";

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
}

interface KnownPod {
  readonly pod: StoredPod;
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

/** Equal for pods that are held to the same demands, by their labels. */
export type RuleOf = (labels: Labels) => string;

/** The stored pods by their shapes, and the shapes by the ConfigMaps that they use. */
export class Shapes {
  /** By `namespace/name`. */
  readonly #pods = new Map<string, KnownPod>();
  readonly #shapes = new Map<string, KnownShape>();
  readonly #users = new Map<string, Set<KnownShape>>();
  #ruleOf: RuleOf = () => "";

  /** Number of pods. */
  get size(): number {
    return this.#pods.size;
  }

  all(): IteratorObject<Shape> {
    return this.#shapes.values();
  }

  keys(): IteratorObject<string> {
    return this.#pods.keys();
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
   * @returns its shape, if that is another one than before
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
    if (known !== undefined) this.#leave(known);
    const shape = this.#shapes.get(id) ?? this.#add(id, files, subject);
    shape.pods.set(pod.uid, pod);
    this.#pods.set(key, { pod, shape });
    return shape;
  }

  /** @param until version number of the deletion, if that was seen */
  remove(key: string, until?: bigint): void {
    const known = this.#pods.get(key);
    if (known === undefined) return;
    this.#pods.delete(key);
    this.#leave(known, until);
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
      const shape = this.#shapes.get(id) ?? this.#add(id, before.files, fromJson(before.json));
      shape.result ??= before.result;
      shape.pods.set(pod.uid, pod);
      known.shape = shape;
    }
  }

  #idOf(files: string, labels: Labels): string {
    return `${files} ${this.#ruleOf(labels)}`;
  }

  #add(id: string, files: string, subject: PodSubject): KnownShape {
    const uses = objectNames(subject).flatMap((ref) => (ref.kind === "ConfigMap" ? [configMapKey(ref)] : []));
    const shape: KnownShape = {
      id,
      files,
      json: toJson(subject),
      namespace: subject.namespace,
      uses,
      pods: new Map(),
      gone: new Map(),
      result: undefined,
      holds: 0,
    };
    this.#shapes.set(id, shape);
    for (const key of uses) this.#users.set(key, (this.#users.get(key) ?? new Set()).add(shape));
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
    for (const key of shape.uses) {
      const users = this.#users.get(key);
      users?.delete(shape);
      if (users?.size === 0) this.#users.delete(key);
    }
  }
}
