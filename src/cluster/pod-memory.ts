import { describeRef, volumeObjectKey } from "../kubernetes/volume-object.ts";
import { SourceError } from "../skill/source-error.ts";
import type { VolumeObjectRef } from "../skill/source.ts";
import { FairMemory } from "../text/fair-memory.ts";
import { defined, type Fields } from "../text/fields.ts";
import { objectNames } from "../workload/pod/mounted-objects.ts";
import type { PodSubject } from "../workload/pod/pod-subject.ts";
import { reducedSpec } from "../workload/reduced-spec.ts";

/** Characters of all pods as they are kept, a template's once; a pod with its template has about a thousand. */
export const podMemoryLimit = 64 * 1024 * 1024;

/** Characters that each pod and template counts beside its own. */
const overhead = 200;
/** Characters that each name of an object counts beside its own: a template may have a hundred thousand. */
const nameOverhead = 500;

/** Templates that name one object. */
interface Users {
  readonly key: string;
  readonly templates: Set<Template>;
}

/** What replicas share. */
interface Template {
  /** The reduced spec: some 40 % of the memory of objects, and few are ever read. */
  readonly json: string;
  readonly uses: readonly Users[];
  readonly size: number;
  readonly pods: Set<StoredPod>;
  parsed?: WeakRef<Fields>;
}

interface StoredPod {
  readonly key: string;
  readonly subject: PodSubject;
  readonly template: Template;
  readonly size: number;
  readonly home: Namespace;
}

interface Namespace {
  readonly name: string;
  /** By their JSON. */
  readonly templates: Map<string, Template>;
  /** Keys of pods for which there is no room. */
  readonly leftOut: Set<string>;
}

const usedKey = (ref: VolumeObjectRef): string => `${ref.namespace}/${volumeObjectKey(ref)}`;

/** Without annotations: nothing is read of them. */
const subjectOf = (
  { kind, namespace, name, isPod, createdAt, field, labels }: PodSubject,
  template: Template,
): PodSubject => ({
  kind,
  namespace,
  name,
  isPod,
  ...defined({ createdAt }),
  field,
  labels,
  annotations: {},
  // eslint-disable-next-line no-restricted-syntax -- Made once for each stored pod, and kept as long as it.
  get spec() {
    return specOf(template);
  },
});

/** The spec as one object for all pods of a template, for as long as somebody reads it. */
function specOf(template: Template): Fields {
  const known = template.parsed?.deref();
  if (known !== undefined) return known;
  const spec = JSON.parse(template.json) as Fields;
  template.parsed = new WeakRef(spec);
  return spec;
}

/**
 * Pods in a bounded memory, each reduced to what is read of it, with its template's spec kept once. Where there is no
 * room for a pod, one of the namespace that holds most is left out, and of a namespace with such pods `using` knows
 * nothing: one tenant's pods take the room from nobody who has fewer.
 */
export class PodMemory {
  readonly #memory: FairMemory;
  readonly #pods = new Map<string, StoredPod>();
  readonly #namespaces = new Map<string, Namespace>();
  readonly #users = new Map<string, Users>();
  /** Namespaces of the pods that are left out, by key. */
  readonly #leftOut = new Map<string, Namespace>();

  constructor(limit: number = podMemoryLimit) {
    this.#memory = new FairMemory(limit);
  }

  /** Number of pods kept: those that name a ConfigMap or Secret. */
  get size(): number {
    return this.#pods.size;
  }

  /** Characters that they take. */
  get characters(): number {
    return this.#memory.size;
  }

  /** Number of pods for which there is no room. */
  get leftOut(): number {
    return this.#leftOut.size;
  }

  /** Keys of all pods, those that are left out included. */
  *keys(): Generator<string> {
    yield* this.#pods.keys();
    yield* this.#leftOut.keys();
  }

  get(key: string): PodSubject | undefined {
    return this.#pods.get(key)?.subject;
  }

  /**
   * Adds or replaces a pod.
   * @returns the characters that it would take by itself; 0: it names no ConfigMap and no Secret, and is not kept
   */
  put(key: string, pod: PodSubject): number {
    this.delete(key);
    const spec = reducedSpec(pod.spec);
    const json = JSON.stringify(spec);
    const known = this.#namespaces.get(pod.namespace)?.templates.get(json);
    const keys = known === undefined ? objectNames({ ...pod, spec }).map(usedKey) : [];
    if (known === undefined && keys.length === 0) return 0;
    const home = this.#homeOf(pod.namespace);
    const size = overhead + key.length + pod.name.length + JSON.stringify(pod.labels).length;
    const templateSize =
      known?.size ?? overhead + json.length + keys.join().length + keys.length * nameOverhead;
    if (!this.#makeRoom(size + (known === undefined ? templateSize : 0), home)) {
      this.#leave(key, home);
      return size + templateSize;
    }
    const template = known ?? this.#addTemplate(home, json, keys, templateSize);
    const stored = { key, subject: subjectOf(pod, template), template, size, home };
    this.#pods.set(key, stored);
    template.pods.add(stored);
    this.#memory.count(home.name, size, key);
    return size + templateSize;
  }

  delete(key: string): void {
    const without = this.#leftOut.get(key);
    if (without !== undefined) {
      this.#leftOut.delete(key);
      without.leftOut.delete(key);
      this.#dropIfEmpty(without);
    }
    const stored = this.#pods.get(key);
    if (stored !== undefined) this.#remove(stored);
  }

  /**
   * The pods that name an object.
   * @throws SourceError LIMIT_EXCEEDED if pods of its namespace are left out
   */
  using(ref: VolumeObjectRef): readonly PodSubject[] {
    const missing = this.#namespaces.get(ref.namespace)?.leftOut.size ?? 0;
    if (missing > 0)
      throw new SourceError(
        "LIMIT_EXCEEDED",
        `whether running pods mount ${describeRef(ref)} is not known: the pods of the cluster take more than the memory for them, and ${missing} of its namespace, which takes most, are left out; delete those with thousands of mounts or items, and try again half an hour later`,
      );
    const users = this.#users.get(usedKey(ref));
    if (users === undefined) return [];
    return [...users.templates].flatMap(({ pods }) => [...pods].map(({ subject }) => subject));
  }

  #homeOf(name: string): Namespace {
    const known = this.#namespaces.get(name);
    if (known !== undefined) return known;
    const made = { name, templates: new Map<string, Template>(), leftOut: new Set<string>() };
    this.#namespaces.set(name, made);
    return made;
  }

  /** Leaves pods out of the namespace that holds most, as long as that is not this one. */
  #makeRoom(size: number, home: Namespace): boolean {
    return this.#memory.makeRoom(size, home.name, (key) => {
      const stored = this.#pods.get(key);
      if (stored === undefined) return;
      this.#remove(stored);
      this.#leave(key, stored.home);
    });
  }

  #leave(key: string, home: Namespace): void {
    this.#leftOut.set(key, home);
    home.leftOut.add(key);
    this.#namespaces.set(home.name, home);
  }

  #addTemplate(home: Namespace, json: string, keys: readonly string[], size: number): Template {
    const uses = keys.map((key) => this.#usersOf(key));
    const template: Template = { json, uses, size, pods: new Set() };
    for (const { templates } of uses) templates.add(template);
    home.templates.set(json, template);
    this.#memory.count(home.name, size);
    return template;
  }

  #usersOf(key: string): Users {
    const known = this.#users.get(key);
    if (known !== undefined) return known;
    const users = { key, templates: new Set<Template>() };
    this.#users.set(key, users);
    return users;
  }

  #remove(stored: StoredPod): void {
    const { key, template, home, size } = stored;
    this.#pods.delete(key);
    template.pods.delete(stored);
    this.#memory.release(home.name, size, key);
    if (template.pods.size === 0) this.#removeTemplate(template, home);
    this.#dropIfEmpty(home);
  }

  #removeTemplate(template: Template, home: Namespace): void {
    home.templates.delete(template.json);
    this.#memory.release(home.name, template.size);
    for (const users of template.uses) {
      users.templates.delete(template);
      if (users.templates.size === 0) this.#users.delete(users.key);
    }
  }

  #dropIfEmpty({ name, templates, leftOut }: Namespace): void {
    if (templates.size + leftOut.size === 0) this.#namespaces.delete(name);
  }
}
