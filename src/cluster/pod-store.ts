import { type Fields, isFields } from "../text/fields.ts";
import type { VolumeObjectRef } from "../skill/source.ts";
import { uidOf, type KubernetesObject } from "../kubernetes/object.ts";
import { objectNames } from "../workload/pod/mounted-objects.ts";
import { podOf } from "../workload/carriers/pod-of.ts";
import type { PodSubject } from "../workload/pod/pod-subject.ts";
import { volumeObjectKey } from "../kubernetes/volume-object.ts";

const pick = (from: Fields, names: readonly string[]): Fields =>
  Object.fromEntries(names.filter((name) => from[name] !== undefined).map((name) => [name, from[name]]));

const containerLists = ["initContainers", "containers", "ephemeralContainers"] as const;
/** Taken out of containers, rather than the rest kept: what the walker learns to read tomorrow is then there. */
const bulkyFields: ReadonlySet<string> = new Set([
  "image",
  "imagePullPolicy",
  "command",
  "args",
  "ports",
  "resources",
  "resizePolicy",
  "livenessProbe",
  "readinessProbe",
  "startupProbe",
  "lifecycle",
  "securityContext",
  "terminationMessagePolicy",
]);
const metadataFields = ["name", "generateName", "namespace", "uid", "labels", "annotations"];
/** kubectl's own copy of the whole pod, which would double what a pod costs here. */
const lastApplied = "kubectl.kubernetes.io/last-applied-configuration";

const slimContainers = (list: unknown): unknown =>
  Array.isArray(list)
    ? list.map((one: unknown) =>
        isFields(one)
          ? Object.fromEntries(Object.entries(one).filter(([name]) => !bulkyFields.has(name)))
          : one,
      )
    : list;

function slimMetadata(metadata: unknown): unknown {
  if (!isFields(metadata)) return metadata;
  const kept = pick(metadata, metadataFields);
  if (!isFields(kept["annotations"]) || kept["annotations"][lastApplied] === undefined) return kept;
  const annotations = Object.entries(kept["annotations"]).filter(([key]) => key !== lastApplied);
  return { ...kept, annotations: Object.fromEntries(annotations) };
}

/**
 * A pod without what no question here is about (status, images, commands, resources, probes, …): a watch keeps every
 * pod of the cluster in memory. Malformed parts stay as they are, so that they are seen as such later.
 */
export function slimPod(pod: KubernetesObject): KubernetesObject {
  const { metadata, spec } = pod;
  // Items of a list come without these.
  const type = { apiVersion: "v1", kind: "Pod" } as const;
  if (!isFields(spec)) return { ...type, metadata: slimMetadata(metadata), spec };
  const slim: Record<string, unknown> = { ...pick(spec, ["volumes"]) };
  for (const list of containerLists) {
    if (spec[list] !== undefined) slim[list] = slimContainers(spec[list]);
  }
  return { ...type, metadata: slimMetadata(metadata), spec: slim };
}

const hasEnded = (pod: KubernetesObject): boolean => {
  const status = pod["status"];
  return isFields(status) && (status["phase"] === "Succeeded" || status["phase"] === "Failed");
};

/** Pods that name one object. */
interface Users {
  readonly key: string;
  readonly pods: Set<string>;
}

interface StoredPod {
  readonly namespace: string;
  /** The slim pod as JSON: some 40 % of what the same costs as objects, and only few pods are ever asked for. */
  readonly json: string;
  readonly uses: readonly Users[];
}

/** Milliseconds that a pod is expected: other webhooks may take 30 s before it is stored. */
const expectedFor = 35_000;
/** Characters of all expected pods: whoever reaches the webhook can make it expect pods that never come. */
const maxExpectedSize = 16 * 1024 * 1024;
/** Of an expected pod, before its uid: no namespace has such a name. */
const expectedPrefix = "?/";

/** The pods that run, by the ConfigMaps and Secrets that they mount. */
export class PodStore {
  readonly #pods = new Map<string, StoredPod>();
  readonly #users = new Map<string, Users>();
  /** Key of an expected pod → when that ends; in the order of time. */
  readonly #expected = new Map<string, number>();
  #expectedSize = 0;
  readonly #now: () => number;

  /** @param now milliseconds of a clock that never goes back */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** Pods that mount something; others are not kept. */
  get size(): number {
    return this.#pods.size;
  }

  /**
   * Adds a pod or takes its newer state.
   * @throws SourceError SOURCE_MALFORMED where it is not built like a pod
   */
  set(key: string, pod: KubernetesObject, namespace: string): void {
    this.#forget(`${expectedPrefix}${uidOf(pod)}`);
    this.#put(key, pod, namespace);
  }

  /**
   * Counts a pod that was admitted and is not stored yet. It goes when the watch shows a pod of its uid, after some time,
   * and when the returned function is called. The uid is chosen before admission; without one nothing is expected.
   * @throws SourceError as `set`
   */
  expect(pod: KubernetesObject, namespace: string): () => void {
    const uid = uidOf(pod);
    if (uid === "") return () => undefined;
    const key = `${expectedPrefix}${uid}`;
    this.#forget(key);
    this.#put(key, pod, namespace);
    const stored = this.#pods.get(key);
    if (stored === undefined) return () => undefined;
    this.#expected.set(key, this.#now() + expectedFor);
    this.#expectedSize += stored.json.length;
    this.#dropExpected();
    return () => this.#forget(key);
  }

  #forget(key: string): void {
    if (!this.#expected.delete(key)) return;
    this.#expectedSize -= this.#pods.get(key)?.json.length ?? 0;
    this.delete(key);
  }

  /** Takes out what is no longer expected, and the oldest where there are too many. */
  #dropExpected(): void {
    const now = this.#now();
    for (const [key, until] of this.#expected) {
      if (until > now && this.#expectedSize <= maxExpectedSize) return;
      this.#forget(key);
    }
  }

  #put(key: string, pod: KubernetesObject, namespace: string): void {
    this.delete(key);
    if (hasEnded(pod)) return;
    const slim = slimPod(pod);
    const subject = podOf(slim, namespace);
    const names = subject === undefined ? [] : objectNames(subject);
    // A pod that mounts no such object can never be the answer.
    if (names.length === 0) return;
    const uses = names.map((ref) => this.#usersOf(usedKey(ref)));
    for (const { pods } of uses) pods.add(key);
    this.#pods.set(key, { namespace, json: JSON.stringify(slim), uses });
  }

  delete(key: string): void {
    const stored = this.#pods.get(key);
    if (stored === undefined) return;
    this.#pods.delete(key);
    for (const users of stored.uses) {
      users.pods.delete(key);
      if (users.pods.size === 0) this.#users.delete(users.key);
    }
  }

  /** Keys of all pods kept that the watch has shown. */
  keys(): IteratorObject<string> {
    return this.#pods.keys().filter((key) => !key.startsWith(expectedPrefix));
  }

  /** Pods that have not ended and that mount this object, expected ones among them. */
  using(ref: VolumeObjectRef): readonly PodSubject[] {
    this.#dropExpected();
    const users = this.#users.get(usedKey(ref));
    if (users === undefined) return [];
    return [...users.pods].flatMap((key) => {
      const stored = this.#pods.get(key);
      if (stored === undefined) return [];
      return podOf(JSON.parse(stored.json) as KubernetesObject, stored.namespace) ?? [];
    });
  }

  #usersOf(key: string): Users {
    const known = this.#users.get(key);
    if (known !== undefined) return known;
    const users = { key, pods: new Set<string>() };
    this.#users.set(key, users);
    return users;
  }
}

const usedKey = (ref: VolumeObjectRef): string => `${ref.namespace}/${volumeObjectKey(ref)}`;
