import type { Shape } from "./shape.ts";
import type { ShapeWork } from "./shape-work.ts";

/** Shapes of one namespace that are judged at once: its huge pods keep nobody else waiting. */
const atOnceOfOne = 2;

/** Shapes that are being judged. */
export class Busy {
  readonly #shapes = new Set<Shape>();

  mayBegin({ shape, namespace }: ShapeWork): boolean {
    if (this.#shapes.has(shape)) return false;
    return [...this.#shapes].filter((one) => one.namespace === namespace).length < atOnceOfOne;
  }

  begin({ shape }: ShapeWork): void {
    this.#shapes.add(shape);
  }

  end({ shape }: ShapeWork): void {
    this.#shapes.delete(shape);
  }
}
