import type { VolumeObjectRef } from "../skill/source.ts";
import type { KubernetesObject } from "../kubernetes/object.ts";
import type { PodSubject } from "../workload/pod/pod-subject.ts";

/** Port: what a review needs to know of the cluster around the object. */
export interface ClusterView {
  /**
   * Labels of a namespace.
   * @throws SourceError SOURCE_UNAVAILABLE where the namespace is unknown or cannot be looked up: a failed look-up
   * must never pass for a namespace that no policy governs
   */
  namespaceLabels(name: string, signal: AbortSignal): Promise<Readonly<Record<string, string>>>;
  /** Pods that have not ended and that mount this object, from the watched state, with those that are expected. */
  podsUsing(ref: VolumeObjectRef): readonly PodSubject[];
  /**
   * A pod is about to be stored: `podsUsing` counts it until the watch shows it, or some time has passed. Otherwise its
   * ConfigMaps could be changed meanwhile as if nobody used them. Absent where nothing is stored.
   * @returns takes it back
   */
  readonly expectPod?: (pod: KubernetesObject, namespace: string) => () => void;
}
