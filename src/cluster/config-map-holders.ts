import { goneName, type Holders } from "../evaluation/cluster-view.ts";
import { createdAtOf, nameOf, uidOf, type KubernetesObject } from "../kubernetes/object.ts";
import type { VolumeObjectRef } from "../skill/source.ts";
import { FairMemory } from "../text/fair-memory.ts";
import { isFields } from "../text/fields.ts";
import { podOf } from "../workload/carriers/pod-of.ts";
import { namedConfigMaps } from "../workload/pod/mounted-objects.ts";

/** Seconds that a node takes to let go of a pod whose containers have ended: it takes their volumes down first. */
const slackSeconds = 60;
/** The API server's default. */
const defaultGraceSeconds = 30;
/** Characters of all pods: of a hundred thousand with one ConfigMap, or fifty thousand with three. */
const memoryLimit = 64 * 1024 * 1024;
/** Characters that each pod and each name counts beside its own: a pod may have a hundred thousand names. */
const overhead = 250;

interface Holder {
  readonly uid: string;
  readonly name: string;
  readonly createdAt: string;
  /** Keys of the ConfigMaps. */
  readonly uses: readonly string[];
  /** Seconds for which its containers may run on after it was deleted; undefined: no node has it. */
  readonly grace: number | undefined;
  /** Set once it was deleted: the time from which it holds nothing. */
  readonly until?: number;
}

/** The pods that name one ConfigMap, and the time since when there has always been one. */
interface Held {
  readonly pods: Set<Holder>;
  since: string;
}

const keyOf = (namespace: string, name: string): string => `${namespace}/${name}`;
const namespaceOf = (key: string): string => key.slice(0, key.indexOf("/"));

const sizeOf = ({ uses }: Holder): number => overhead * (1 + uses.length) + uses.join().length;

function graceOf({ spec, status }: KubernetesObject): number | undefined {
  if (!isFields(spec) || typeof spec["nodeName"] !== "string") return undefined;
  const phase = isFields(status) ? status["phase"] : undefined;
  if (phase === "Succeeded" || phase === "Failed") return 0;
  const seconds = spec["terminationGracePeriodSeconds"];
  return typeof seconds === "number" ? seconds : defaultGraceSeconds;
}

/**
 * Pods by the ConfigMaps that they name, in volumes and in variables. As long as one of them is there, its node keeps an
 * immutable ConfigMap as it first read it, also after the object's deletion, and gives it to every pod that names it
 * (kubelet, `objectCache`). A pod of a node holds on after its deletion: whoever deletes it by force does not wait for its
 * node, which takes the time of grace, and one that has ended goes at once, while its node still takes its volumes down.
 */
export class ConfigMapHolders {
  readonly #pods = new Map<string, Holder>();
  readonly #held = new Map<string, Held>();
  /** Pods that were deleted, by namespace and a key of their own. */
  readonly #left = new Map<string, Map<string, Holder>>();
  #lefts = 0;
  /** Time until which pods hold on that were deleted and forgotten, by namespace: they may hold any name. */
  readonly #uncounted = new Map<string, number>();
  /** Pods for which there is no memory, by namespace and key, with their time of grace: they may hold any name. */
  readonly #leftOut = new Map<string, Map<string, number | undefined>>();
  readonly #memory: FairMemory;
  readonly #now: () => number;

  /**
   * @param now monotonic clock, milliseconds
   * @param limit characters of all pods
   */
  constructor(now: () => number = () => performance.now(), limit: number = memoryLimit) {
    this.#now = now;
    this.#memory = new FairMemory(limit);
  }

  /**
   * Adds or replaces a pod.
   * @throws SourceError SOURCE_MALFORMED where it is not built like a pod
   */
  set(key: string, pod: KubernetesObject, namespace: string): void {
    // Items of a list carry no apiVersion and kind.
    const subject = podOf({ ...pod, apiVersion: "v1", kind: "Pod" }, namespace);
    const uses = (subject === undefined ? [] : namedConfigMaps(subject)).map((name) =>
      keyOf(namespace, name),
    );
    const before = this.#pods.get(key);
    this.#dropLeftOut(key);
    if (before !== undefined) this.#forget(key, before);
    // The deletion of the one before was not seen where the watch was broken off.
    if (before?.grace !== undefined && before.uid !== uidOf(pod)) this.#keep(before, namespace, before.grace);
    if (uses.length > 0)
      this.#add(key, {
        uid: uidOf(pod),
        name: nameOf(pod),
        createdAt: createdAtOf(pod) ?? "",
        uses,
        grace: graceOf(pod),
      });
    // Afterwards, so that the name counts as used without a break.
    if (before !== undefined) this.#release(before);
  }

  /**
   * Lets a pod go: at once if no node has it, otherwise when its node must have let go of it.
   * @returns seconds until then
   */
  delete(key: string): number {
    const namespace = namespaceOf(key);
    const leftOut = this.#dropLeftOut(key);
    if (leftOut !== undefined) this.#keepUncounted(namespace, this.#untilOf(leftOut));
    const holder = this.#pods.get(key);
    if (holder === undefined) return 0;
    this.#forget(key, holder);
    if (holder.grace !== undefined) this.#keep(holder, namespace, holder.grace);
    this.#release(holder);
    return holder.grace === undefined ? 0 : holder.grace + slackSeconds;
  }

  #add(key: string, holder: Holder): void {
    const namespace = namespaceOf(key);
    if (!this.#hasRoom(sizeOf(holder), namespace)) {
      this.#leaveOut(key, holder);
      return;
    }
    this.#pods.set(key, holder);
    this.#memory.count(namespace, sizeOf(holder), key);
    this.#hold(holder);
  }

  #forget(key: string, holder: Holder): void {
    this.#pods.delete(key);
    this.#memory.release(namespaceOf(key), sizeOf(holder), key);
  }

  #hasRoom(size: number, namespace: string): boolean {
    return this.#memory.makeRoom(size, namespace, (key) => {
      const holder = this.#pods.get(key);
      if (holder === undefined) {
        this.#forgetLeft(key);
        return;
      }
      this.#forget(key, holder);
      this.#release(holder);
      this.#leaveOut(key, holder);
    });
  }

  #leaveOut(key: string, { grace }: Holder): void {
    const namespace = namespaceOf(key);
    this.#leftOut.set(
      namespace,
      (this.#leftOut.get(namespace) ?? new Map<string, number | undefined>()).set(key, grace),
    );
  }

  /** Returns its time of grace. */
  #dropLeftOut(key: string): number | undefined {
    const namespace = namespaceOf(key);
    const leftOut = this.#leftOut.get(namespace);
    const grace = leftOut?.get(key);
    if (leftOut?.delete(key) === true && leftOut.size === 0) this.#leftOut.delete(namespace);
    return grace;
  }

  /** Keys of the pods that are there. */
  *keys(): Generator<string> {
    yield* this.#pods.keys();
    for (const leftOut of this.#leftOut.values()) yield* leftOut.keys();
  }

  /** The pods that hold what had this name. */
  of({ namespace, name }: VolumeObjectRef): Holders {
    this.#dropLate(namespace);
    const { pods, since } = this.#held.get(keyOf(namespace, name)) ?? {};
    const unknown = [
      ...(this.#uncounted.has(namespace) ? ["some that were deleted"] : []),
      ...(this.#leftOut.has(namespace) ? ["those for which there is no memory"] : []),
    ];
    return {
      since: unknown.length > 0 ? "" : since,
      // Few callers want to know them, and there may be thousands.
      names: () => [
        ...[...(pods ?? [])].map(({ name: pod, until }) => (until === undefined ? pod : goneName(pod))),
        ...unknown,
      ],
    };
  }

  #keep(holder: Holder, namespace: string, grace: number): void {
    this.#dropLate(namespace);
    const until = this.#untilOf(grace);
    if (!this.#hasRoom(sizeOf(holder), namespace)) {
      this.#keepUncounted(namespace, until);
      return;
    }
    // No pod has such a name.
    const key = keyOf(namespace, `!${(this.#lefts += 1)}`);
    const kept = { ...holder, until };
    const left = this.#left.get(namespace) ?? new Map<string, Holder>();
    this.#left.set(namespace, left.set(key, kept));
    this.#memory.count(namespace, sizeOf(kept), key);
    this.#hold(kept);
  }

  #forgetLeft(key: string): void {
    const namespace = namespaceOf(key);
    const holder = this.#left.get(namespace)?.get(key);
    if (holder === undefined) return;
    this.#dropLeft(key, holder);
    this.#keepUncounted(namespace, holder.until ?? 0);
  }

  #dropLeft(key: string, holder: Holder): void {
    const namespace = namespaceOf(key);
    const left = this.#left.get(namespace);
    left?.delete(key);
    if (left?.size === 0) this.#left.delete(namespace);
    this.#memory.release(namespace, sizeOf(holder), key);
    this.#release(holder);
  }

  #keepUncounted(namespace: string, until: number): void {
    this.#uncounted.set(namespace, Math.max(until, this.#uncounted.get(namespace) ?? 0));
  }

  #untilOf(grace: number): number {
    return this.#now() + (grace + slackSeconds) * 1000;
  }

  #hold(holder: Holder): void {
    const { createdAt } = holder;
    for (const key of holder.uses) {
      const held = this.#held.get(key) ?? { pods: new Set(), since: createdAt };
      held.pods.add(holder);
      if (createdAt < held.since) held.since = createdAt;
      this.#held.set(key, held);
    }
  }

  #release(holder: Holder): void {
    for (const key of holder.uses) {
      const held = this.#held.get(key);
      held?.pods.delete(holder);
      if (held?.pods.size === 0) this.#held.delete(key);
    }
  }

  #dropLate(namespace: string): void {
    const now = this.#now();
    if ((this.#uncounted.get(namespace) ?? Infinity) <= now) this.#uncounted.delete(namespace);
    for (const [key, holder] of this.#left.get(namespace) ?? [])
      if ((holder.until ?? 0) <= now) this.#dropLeft(key, holder);
  }
}
