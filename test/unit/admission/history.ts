import { LoopTurns } from "../../../src/evaluation/loop-turns.ts";
import { ReadBudget } from "../../../src/evaluation/read-budget.ts";
import { randomUUID } from "node:crypto";
import { ModelKubelet } from "../../fixtures/model-kubelet.ts";
import { ConfigMapHolders } from "../../../src/cluster/config-map-holders.ts";
import { ChangeStore } from "../../../src/cluster/change-store.ts";
import { createExpectedChanges } from "../../../src/cluster/live/expected-changes.ts";
import { PodStore } from "../../../src/cluster/pod-store.ts";
import { RememberedWalks } from "../../../src/evaluation/remembered-walks.ts";
import { EvidenceCache } from "../../../src/evidence/evidence-cache.ts";
import { handle, type HandleDeps } from "../../../src/admission/handle.ts";
import { decodeVolumeObject, identityOf } from "../../../src/kubernetes/volume-object.ts";
import type { KubernetesObject } from "../../../src/kubernetes/object.ts";
import { compileObjects } from "../../fixtures/compile.ts";
import { denial, namespace, now, policyObject } from "./world.ts";

export type Content = Readonly<Record<string, string>>;

interface ConfigMap extends KubernetesObject {
  readonly immutable: boolean;
  readonly data: Content;
}

/** A write that was let through and is not stored yet: another webhook takes its time. */
interface Pending {
  readonly what: string;
  store(): boolean;
}

// Evidence holds for the same bytes in every history.
const evidence = new EvidenceCache({});
const policies = compileObjects([policyObject()], []);

const shortened = (data: Content): string =>
  JSON.stringify(Object.fromEntries(Object.entries(data).map(([key, text]) => [key, text.slice(-12)])));

const withNode = (pod: KubernetesObject): KubernetesObject => ({
  ...pod,
  spec: { ...(pod["spec"] as object), nodeName: "node" },
});

/** A cluster of one namespace, one replica and one node: writes pass the real reviews, and the API server's own rules. */
export class History {
  readonly kubelet = new ModelKubelet((name) => this.#configMaps.get(name));
  readonly pods = new Set<string>();
  /** The steps so far, for messages. */
  readonly log: string[] = [];
  readonly #configMaps = new Map<string, ConfigMap>();
  readonly #template: KubernetesObject;
  readonly #podStore = new PodStore({ now: () => this.#clock });
  readonly #holders = new ConfigMapHolders(() => this.#clock);
  /** Pods that run on at the node though the API server knows them no more. */
  readonly #left = new Set<string>();
  readonly #known = new Map<string, KubernetesObject>();
  readonly #pending: Pending[] = [];
  readonly #deps: HandleDeps;
  #version = 0;
  #second = 0;
  #clock = 0;

  constructor(template: KubernetesObject) {
    this.#template = template;
    const source = createExpectedChanges(
      {
        read: (request) => {
          const object = this.#configMaps.get(request.name);
          return Promise.resolve(object === undefined ? undefined : decodeVolumeObject(object, request));
        },
        identify: ({ name }) => {
          const object = this.#configMaps.get(name);
          return Promise.resolve(object === undefined ? undefined : identityOf(object));
        },
      },
      new ChangeStore(),
    );
    this.#deps = {
      cluster: {
        namespaceLabels: () => Promise.resolve({ tenant: namespace }),
        podsUsing: (ref) => this.#podStore.using(ref),
        expectPod: (pod, place) => this.#podStore.expect(pod, place),
        podsGone: (ref) => this.#podStore.gone(ref),
        holders: (ref) => this.#holders.of(ref),
        expectChange: source.expectChange,
        expectedChanges: source.expectedChanges,
      },
      source,
      policies: { current: () => policies },
      evidence,
      measure: (_skill, work) => work(),
      workSignal: () => new AbortController().signal,
      reads: new ReadBudget(),
      turns: new LoopTurns(),
      walks: new RememberedWalks(),
    };
  }

  /** The next writes are made in a later second. */
  wait(): void {
    this.#second += 1;
  }

  /** Creates or updates a ConfigMap, if it is let through; `late`: it is stored by `commit`. */
  async put(
    name: string,
    data: Content,
    { immutable, late }: { readonly immutable: boolean; readonly late: boolean },
  ): Promise<void> {
    const before = this.#configMaps.get(name);
    if (before?.immutable === true) return;
    const metadata = {
      name,
      namespace,
      ...((before?.metadata as object | undefined) ?? this.#newMetadata()),
    };
    const object: ConfigMap = { apiVersion: "v1", kind: "ConfigMap", metadata, immutable, data };
    if (!(await this.#isAllowed("configmaps", object, before))) return;
    this.#write(late, {
      what: `${before === undefined ? "create" : "update"} ${name} ${shortened(data)}`,
      store: () => {
        if (this.#configMaps.get(name) !== before) return false;
        this.#store(object);
        return true;
      },
    });
  }

  /** Stores a ConfigMap unseen. */
  force(name: string, data: Content): void {
    const metadata = { name, namespace, ...this.#newMetadata() };
    this.#store({ apiVersion: "v1", kind: "ConfigMap", metadata, immutable: false, data });
  }

  /** Deletes a ConfigMap, if that is let through: of a mutable one the webhook is not asked. */
  async delete(name: string): Promise<void> {
    const before = this.#configMaps.get(name);
    if (before === undefined) return;
    if (before.immutable && !(await this.#isAllowed("configmaps", undefined, before))) return;
    this.#configMaps.delete(name);
    this.log.push(`delete ${name}`);
  }

  /** @param template of the pod; absent: the one that all share */
  async createPod(name: string, late: boolean, template: KubernetesObject = this.#template): Promise<void> {
    if (this.pods.has(name) || this.#left.has(name)) return;
    const pod = withNode({ ...template, metadata: { name, namespace, ...this.#newMetadata() } });
    if (!(await this.#isAllowed("pods", pod))) return;
    this.#write(late, {
      what: `pod ${name}`,
      store: () => {
        if (this.pods.has(name) || this.#left.has(name)) return false;
        this.pods.add(name);
        this.#known.set(name, pod);
        this.#podStore.set(`${namespace}/${name}`, pod, namespace);
        this.#holders.set(`${namespace}/${name}`, pod, namespace);
        this.kubelet.add(name, pod);
        return true;
      },
    });
  }

  /**
   * Deletes a pod. The API server knows it no more; but for one that its node deleted, the node has it until `expire`: by
   * force its containers run on, of one that has ended the volumes are still there.
   */
  removePod(name: string, how: "by its node" | "by force" | "once ended" = "by its node"): void {
    const key = `${namespace}/${name}`;
    if (!this.pods.has(name)) return;
    this.log.push(`remove ${name} ${how}`);
    if (how !== "by force")
      this.#holders.set(key, { ...this.#known.get(name), status: { phase: "Succeeded" } }, namespace);
    if (how === "by its node") this.kubelet.remove(name);
    else this.#left.add(name);
    this.pods.delete(name);
    this.#podStore.delete(key, this.#holders.delete(key));
  }

  /** The nodes have let go of what was deleted, and no request is on its way for so long. */
  expire(): void {
    this.#clock += 91_000;
    this.#pending.length = 0;
    for (const name of this.#left) this.kubelet.remove(name);
    this.#left.clear();
  }

  /** Writes that the pod has ended, which its containers know nothing of. */
  endPod(name: string): void {
    const [known] = this.#podStore
      .using({ kind: "ConfigMap", namespace, name: "x" })
      .filter((pod) => pod.name === name);
    if (known === undefined || !this.pods.has(name)) return;
    this.log.push(`end ${name}`);
    const metadata = { name, namespace, creationTimestamp: known.createdAt };
    const pod = { ...this.#template, metadata, status: { phase: "Succeeded" } };
    this.#podStore.set(`${namespace}/${name}`, pod, namespace);
  }

  /** Stores the write that has waited longest. */
  commit(): void {
    const next = this.#pending.shift();
    if (next !== undefined) this.log.push(`${next.store() ? "stored" : "lost"}: ${next.what}`);
  }

  #write(late: boolean, write: Pending): void {
    if (late) {
      this.log.push(`later: ${write.what}`);
      this.#pending.push(write);
    } else if (write.store()) this.log.push(write.what);
  }

  #store(object: ConfigMap): void {
    this.#version += 1;
    const metadata = {
      ...(object.metadata as { readonly name: string }),
      resourceVersion: String(this.#version),
    };
    this.#configMaps.set(metadata.name, { ...object, metadata });
  }

  #newMetadata(): object {
    const creationTimestamp = new Date(now + this.#second * 1000).toISOString().replace(".000Z", "Z");
    return { uid: randomUUID(), creationTimestamp };
  }

  async #isAllowed(
    resource: string,
    object: KubernetesObject | undefined,
    oldObject?: KubernetesObject,
  ): Promise<boolean> {
    const either = object ?? oldObject;
    const operation = object === undefined ? "DELETE" : oldObject === undefined ? "CREATE" : "UPDATE";
    const review = {
      apiVersion: "admission.k8s.io/v1",
      kind: "AdmissionReview",
      request: {
        uid: randomUUID(),
        kind: { group: "", version: "v1", kind: either?.kind },
        resource: { group: "", version: "v1", resource },
        namespace,
        name: (either?.metadata as { readonly name: string }).name,
        operation,
        object,
        oldObject,
      },
    };
    const answer = await handle(
      Buffer.from(JSON.stringify(review)),
      this.#deps,
      new AbortController().signal,
      now,
    );
    return denial(answer) === undefined;
  }
}
