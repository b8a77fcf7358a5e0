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
/**
 * Fields dropped from containers. A list of dropped fields, not of kept ones: fields that pods are searched by later
 * stay.
 */
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
const metadataFields = [
  "name",
  "generateName",
  "namespace",
  "uid",
  "creationTimestamp",
  "labels",
  "annotations",
];
/** kubectl's own copy of the whole pod, which would double the memory. */
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
 * A pod reduced to the fields that reviews need: a watch keeps every pod of the cluster in memory. Malformed parts
 * stay, so that they are recognised as malformed later.
 */
export function slimPod(pod: KubernetesObject): KubernetesObject {
  const { metadata, spec } = pod;
  // Items of a list carry no apiVersion and kind.
  const type = { apiVersion: "v1", kind: "Pod" } as const;
  if (!isFields(spec)) return { ...type, metadata: slimMetadata(metadata), spec };
  const slim: Record<string, unknown> = { ...pick(spec, ["volumes"]) };
  for (const list of containerLists) {
    if (spec[list] !== undefined) slim[list] = slimContainers(spec[list]);
  }
  return { ...type, metadata: slimMetadata(metadata), spec: slim };
}

/** Pods that mount one object. */
interface Users {
  readonly key: string;
  readonly pods: Set<string>;
}

interface StoredPod {
  readonly namespace: string;
  /** The reduced pod as JSON: some 40 % of the memory of objects, and few pods are ever read. */
  readonly json: string;
  readonly uses: readonly Users[];
}

/** Milliseconds until an expected pod is given up: other webhooks may take 30 s before it is stored. */
const expectedFor = 35_000;
/** Characters of all expected pods: every caller of the webhook can announce pods that never come. */
const maxExpectedSize = 16 * 1024 * 1024;
/** Key prefix of an expected pod, before its uid: no namespace has such a name. */
const expectedPrefix = "?/";

/**
 * Pods by the ConfigMaps and Secrets that they mount. One that has ended counts until it is deleted: its phase can be
 * written by whoever may write `pods/status`, while its containers run on.
 */
export class PodStore {
  readonly #pods = new Map<string, StoredPod>();
  readonly #users = new Map<string, Users>();
  /** Key of an expected pod → time at which it is given up, in that order. */
  readonly #expected = new Map<string, number>();
  #expectedSize = 0;
  readonly #now: () => number;

  /** @param now monotonic clock, milliseconds */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** Number of pods kept: those that mount a ConfigMap or Secret. */
  get size(): number {
    return this.#pods.size;
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

  /** Drops expected pods whose time has passed, and the oldest above the bound on memory. */
  #dropExpected(): void {
    const now = this.#now();
    for (const [key, until] of this.#expected) {
      if (until > now && this.#expectedSize <= maxExpectedSize) return;
      this.#forget(key);
    }
  }

  #put(key: string, pod: KubernetesObject, namespace: string): void {
    this.delete(key);
    const slim = slimPod(pod);
    const subject = podOf(slim, namespace);
    const names = subject === undefined ? [] : objectNames(subject);
    // A pod that mounts no ConfigMap and no Secret is never asked for.
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

  /** Keys of the pods that the watch has shown. */
  keys(): IteratorObject<string> {
    return this.#pods.keys().filter((key) => !key.startsWith(expectedPrefix));
  }

  /** Pods that mount this object, expected ones included. */
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
