import type { VolumeObjectRef } from "../../skill/source.ts";

/** A type of volume or projected source whose files are an object's values. */
export interface ObjectType {
  readonly kind: VolumeObjectRef["kind"];
  /** The field that names the object. */
  readonly nameField: string;
}

/** Types of volume that name an object. */
export const objectVolumes: ReadonlyMap<string, ObjectType> = new Map([
  ["configMap", { kind: "ConfigMap", nameField: "name" }],
  ["secret", { kind: "Secret", nameField: "secretName" }],
]);

/** Types of projected source that name an object. */
export const objectProjections: ReadonlyMap<string, ObjectType> = new Map([
  ["configMap", { kind: "ConfigMap", nameField: "name" }],
  ["secret", { kind: "Secret", nameField: "name" }],
]);
