import type { KubernetesObject } from "./object.ts";

/** One object of a file, with the fields that every Kubernetes object must have. */
export interface ManifestObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  /** Absent for cluster-wide objects; where a file names none, as its reader decides. */
  readonly namespace: string | undefined;
  readonly object: KubernetesObject;
}

/** An object with its file, for messages. */
export interface PlacedObject {
  readonly file: string;
  readonly entry: ManifestObject;
}
