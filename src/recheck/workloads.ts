import { LRUCache } from "lru-cache";
import { defined } from "../text/fields.ts";
import type { ObjectReference } from "../workload/carriers/owner.ts";
import type { Shortfall } from "./judge-pod.ts";
import { noticeOf, workloadKey } from "./notices.ts";
import type { Notice, RecheckDeps } from "./ports.ts";
import type { StoredPod } from "./stored-pod.ts";
import type { Told } from "./told.ts";

/** Owners whose top is remembered, at most. */
const maxRemembered = 20_000;

const itself = ({ name, namespace, uid }: StoredPod): ObjectReference => ({
  apiVersion: "v1",
  kind: "Pod",
  name,
  namespace,
  uid,
});

/** The workloads that pods belong to, and what each of them was named for. */
export class Workloads {
  readonly #topOwner: RecheckDeps["topOwner"];
  /** By the controller that the pod names: not by its uid alone, which pods of other namespaces may name as well. */
  readonly #tops = new LRUCache<string, { readonly top: ObjectReference | undefined }>({
    max: maxRemembered,
  });
  readonly #told: Told;

  constructor(topOwner: RecheckDeps["topOwner"], told: Told) {
    this.#topOwner = topOwner;
    this.#told = told;
  }

  /** The workload of a pod, as far as `resolve` has found it out. A pod whose owner does not exist is one by itself. */
  of(pod: StoredPod): ObjectReference {
    const { owner } = pod;
    if (owner.uid === undefined || owner.uid === pod.uid) return itself(pod);
    const known = this.#tops.get(workloadKey(owner));
    return known === undefined ? owner : (known.top ?? itself(pod));
  }

  /** What is to be said of the workloads of these pods, and has not been yet. */
  async notices(
    pods: readonly StoredPod[],
    shortfalls: readonly Shortfall[],
    replaced: string | undefined,
    signal: AbortSignal,
  ): Promise<readonly Notice[]> {
    for (const pod of pods) await this.#resolve(pod, signal);
    return [...Map.groupBy(pods, (pod) => workloadKey(this.of(pod))).values()]
      .flatMap((own) => {
        const [first] = own;
        if (first === undefined) return [];
        const workload = this.of(first);
        return shortfalls.map((shortfall) =>
          noticeOf({ workload, pods: own, shortfall, ...defined({ replaced }) }),
        );
      })
      .filter((notice) => this.#told.isNews(notice));
  }

  /** Finds out the top of the owners of a pod. */
  async #resolve({ owner, uid }: StoredPod, signal: AbortSignal): Promise<void> {
    const key = workloadKey(owner);
    if (owner.uid === undefined || owner.uid === uid || this.#tops.has(key)) return;
    const top = await this.#topOwner(owner, signal);
    // It may be another one than was found in time.
    if (!signal.aborted) this.#tops.set(key, { top });
  }

  /** Forgets what workloads were named for that comply again, or are gone. */
  keepOnly(workloads: ReadonlySet<string>): void {
    this.#told.keepOnly(workloads);
  }
}
