import type { VolumeObjectRef } from "../skill/source.ts";
import type { KubernetesObject } from "../kubernetes/object.ts";
import type { PodSubject } from "../workload/pod/pod-subject.ts";

/** Port: the cluster around the object under review. */
export interface ClusterView {
  /**
   * Labels of a namespace.
   * @throws SourceError SOURCE_UNAVAILABLE if the namespace is unknown or cannot be looked up: a failed look-up must
   *   never pass for a namespace without policies
   */
  namespaceLabels(name: string, signal: AbortSignal): Promise<Readonly<Record<string, string>>>;
  /** Pods that have not ended and mount this object: those of the watch, and the expected ones. */
  podsUsing(ref: VolumeObjectRef): readonly PodSubject[];
  /**
   * Announces a pod that is about to be stored: `podsUsing` counts it until the watch shows it or some time has
   * passed. Otherwise its ConfigMaps could be changed meanwhile as if they were unused. Absent if nothing is stored.
   * @returns withdraws the announcement
   */
  readonly expectPod?: (pod: KubernetesObject, namespace: string) => () => void;
}
