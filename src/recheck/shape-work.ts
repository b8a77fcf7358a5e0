import type { StoredVersion } from "./ports.ts";
import { configMapKey, type Shape } from "./shape.ts";
import type { Work } from "./work-queue.ts";

/** A shape that is to be judged. */
export interface Wanted {
  readonly shape: Shape;
  /** The version of a ConfigMap to judge it by, whether replaced or not; absent: by what is stored now. */
  readonly version?: StoredVersion;
  /** Tries before this one. */
  readonly attempts?: number;
}

export type ShapeWork = Work & Wanted & { readonly attempts: number };

/** The work on a shape: the same for one version of one ConfigMap, and for what is stored now. */
export function shapeWork(wanted: Wanted): ShapeWork {
  const { shape, version, attempts = 0 } = wanted;
  const { id, namespace } = shape;
  const key = version === undefined ? id : `${id} ${configMapKey(version.ref)} ${version.resourceVersion}`;
  return { ...wanted, key, namespace, attempts };
}
