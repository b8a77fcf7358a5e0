import type { Mark } from "../policy/trust/usage.ts";
import type { VolumeObjectRef } from "../skill/source.ts";
import { objectNames } from "../workload/pod/mounted-objects.ts";
import type { PodSubject } from "../workload/pod/pod-subject.ts";
import type { Shortfall } from "./judge-pod.ts";
import type { StoredPod } from "./stored-pod.ts";

/** A pod that went, and the version number of its deletion, if that was seen. */
export interface GonePod extends StoredPod {
  readonly until: bigint | undefined;
}

/** Subject of a shape with the ConfigMaps that it uses. */
export interface ShapeContent {
  /** ConfigMaps by `namespace/name`. */
  readonly uses: readonly string[];
  /** The subject as JSON: half of the memory, and it is read only to judge. */
  readonly json: string;
  /** Characters that it takes. */
  readonly size: number;
}

/** Pods that see the same files and are held to the same demands: judged once for all of them. */
export interface Shape {
  readonly id: string;
  readonly namespace: string;
  /** By uid. */
  readonly pods: Map<string, StoredPod>;
  /** Pods that went while the shape was waiting to be judged: what they ran counts too. */
  readonly gone: Map<string, GonePod>;
  /** Undefined where it has no pods any more, and work still waits for it. */
  content: ShapeContent | undefined;
  /** Policies that it does not meet; undefined until it is judged. */
  result: readonly Shortfall[] | undefined;
  /** What was met of trust, publishers and revocations when it was judged. */
  seen: readonly Mark[];
  /** Pieces of work that wait for it: until they are done it stays, though its last pod went. */
  holds: number;
}

/** Characters that each pod, shape and name counts beside its own. */
export const overhead = 500;

/** Key of a ConfigMap. */
export const configMapKey = ({ namespace, name }: Pick<VolumeObjectRef, "namespace" | "name">): string =>
  `${namespace}/${name}`;

export function contentOf({ imagesBefore, ...subject }: PodSubject): ShapeContent {
  const uses = objectNames(subject).flatMap((ref) => (ref.kind === "ConfigMap" ? [configMapKey(ref)] : []));
  const images = imagesBefore === undefined ? undefined : [...imagesBefore];
  const json = JSON.stringify({ subject, images });
  return { uses, json, size: overhead * (1 + uses.length) + json.length };
}

/** The pod that a content was made of. */
export function subjectIn({ json }: ShapeContent): PodSubject {
  const { subject, images } = JSON.parse(json) as {
    readonly subject: PodSubject;
    readonly images?: readonly (readonly [string, string])[];
  };
  return images === undefined ? subject : { ...subject, imagesBefore: new Map(images) };
}
