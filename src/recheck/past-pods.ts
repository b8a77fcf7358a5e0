import type { GonePod, Shape } from "./shape.ts";

/**
 * Characters of one namespace, its shapes with no other pods included: nothing takes their room, so that what one tenant
 * has must not be much.
 */
const shareLimit = 4 * 1024 * 1024;
/** Characters of all namespaces. */
const memoryLimit = 64 * 1024 * 1024;

/** Keeps pods that went in their shapes for as long as work waits for these: a bounded share for each namespace. */
export class PastPods {
  readonly #shares = new Map<string, number>();
  /** Characters that each shape counts. */
  readonly #sizes = new Map<Shape, number>();
  #size = 0;

  /**
   * @param size characters of the pod
   * @returns whether there is room for it
   */
  keep(shape: Shape, pod: GonePod, size: number): boolean {
    const known = this.#sizes.get(shape);
    const more = size + (known === undefined ? (shape.content?.size ?? 0) : 0);
    const share = (this.#shares.get(shape.namespace) ?? 0) + more;
    if (share > shareLimit || this.#size + more > memoryLimit) return false;
    this.#size += more;
    this.#shares.set(shape.namespace, share);
    this.#sizes.set(shape, (known ?? 0) + more);
    // Of its labels the shape has what counts.
    shape.gone.set(pod.uid, { ...pod, labels: {} });
    return true;
  }

  forget(shape: Shape): void {
    shape.gone.clear();
    const size = this.#sizes.get(shape) ?? 0;
    const share = (this.#shares.get(shape.namespace) ?? 0) - size;
    this.#size -= size;
    this.#sizes.delete(shape);
    if (share > 0) this.#shares.set(shape.namespace, share);
    else this.#shares.delete(shape.namespace);
  }
}
