import type { VolumeObject, VolumeObjectRef } from "../../skill/source.ts";
import type { ObjectState } from "./in-place.ts";

/** A change to one object that a pod mounts. */
export interface ObjectChange {
  readonly ref: VolumeObjectRef;
  /** Undefined if it is not known: the object did not exist, or could not be read. */
  readonly before: VolumeObject | undefined;
  readonly after: VolumeObject;
  /** Absent for a pod that the API server does not know yet. */
  readonly podCreatedAt?: string | undefined;
}

/** One of the other objects of the pod, and its keys as they are now. */
export interface OtherObject {
  readonly state: ObjectState;
  readonly keys: ReadonlySet<string>;
}
