import type { VolumeObjectRef } from "../skill/source.ts";
import { uidOf, type KubernetesObject } from "../kubernetes/object.ts";
import type { PodSubject } from "../workload/pod/pod-subject.ts";

/** Port: the cluster around the object under review. */
export interface ClusterView {
  /**
   * Labels of a namespace.
   * @throws SourceError SOURCE_UNAVAILABLE if the namespace is unknown or cannot be looked up: a failed look-up must
   *   never pass for a namespace without policies
   */
  namespaceLabels(name: string, signal: AbortSignal): Promise<Readonly<Record<string, string>>>;
  /**
   * A pod as it is stored now, by a consistent read; undefined: there is none. Absent if nothing is stored.
   * @throws SourceError
   */
  readonly storedPod?: (
    namespace: string,
    name: string,
    signal: AbortSignal,
  ) => Promise<KubernetesObject | undefined>;
  /**
   * Waits until changes are stored that other replicas let through before they knew of a pod that is stored now: as
   * long as such a write takes. Absent if there is nothing to wait for.
   * @throws SourceError TIMEOUT
   */
  readonly settling?: (signal: AbortSignal) => Promise<void>;
  /** Pods that mount this object: those of the watch, and the expected ones. */
  podsUsing(ref: VolumeObjectRef): readonly PodSubject[];
  /**
   * Announces a pod that is about to be stored: `podsUsing` counts it until the watch shows it or some time has
   * passed. Otherwise its ConfigMaps could be changed meanwhile as if they were unused. Absent if nothing is stored.
   * @returns withdraws the announcement
   */
  readonly expectPod?: (pod: KubernetesObject, namespace: string) => () => void;
  /**
   * Announces a change that is about to be stored: `expectedChanges` returns it until a read shows that it is, or can
   * no longer be, or some time has passed. Absent if nothing is stored.
   * @returns withdraws the announcement; undefined if too many changes of the namespace are expected already
   */
  readonly expectChange?: (change: ExpectedChange, signal: AbortSignal) => Promise<(() => void) | undefined>;
  /** Changes of this object that are expected to be stored. Absent if nothing is stored. */
  readonly expectedChanges?: (ref: VolumeObjectRef) => readonly ExpectedChange[];
  /** Pods that mounted this object and were deleted, while their nodes may keep it still. Absent if no pods run. */
  readonly podsGone?: (ref: VolumeObjectRef) => readonly PodSubject[];
  /** The pods for which nodes keep an immutable ConfigMap of this name, once they have it. Absent if no pods run. */
  readonly holders?: (ref: VolumeObjectRef) => Holders;
}

/** Pods that name one ConfigMap, in volumes or variables. */
export interface Holders {
  /** Names of the pods, for messages: those that are there, and those that were deleted and that their nodes may have still. */
  readonly names: () => readonly string[];
  /** Time since which there has always been one, as far as it is known, RFC 3339; undefined if there is none. */
  readonly since: string | undefined;
}

/** How `Holders` name a pod that was deleted. */
export const goneName = (pod: string): string => `${pod} (deleted a moment ago)`;

/** A change of an object that was let through, or is under review, and may be stored at any moment. */
export interface ExpectedChange {
  readonly ref: VolumeObjectRef;
  /** The object as it would be stored. */
  readonly object: KubernetesObject;
  /** Set if the object has too many values to be read: `object` is its name alone then. */
  readonly tooLarge?: true;
  /** Identity of the version that it replaces; undefined if it creates the object, or that is not known. */
  readonly replaces: string | undefined;
}

/**
 * Whether a change is stored, or can no longer be, by the identity that a consistent read of its object has shown;
 * undefined: there is none. The API server stores an update only over the version that was reviewed, and reviews it anew
 * otherwise. A creation that comes too early for a deletion may still succeed after it.
 */
export function isSettled({ object, replaces }: ExpectedChange, identity: string | undefined): boolean {
  if (replaces !== undefined) return identity !== replaces;
  return identity !== undefined && uidOf(object) !== "" && identity.startsWith(`${uidOf(object)}/`);
}
