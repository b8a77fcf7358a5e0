import type { Mount } from "./pod-spec.ts";
import type { UnreadablePath, VolumeFile } from "./volume-view.ts";

/** One mount: a volume, or a file of the kubelet's own. */
export interface Layer {
  /** Absolute and clean. */
  readonly path: string;
  /** Absent for a file of the kubelet's own. */
  readonly mount?: Mount;
  /** Set if it is in doubt what is seen of it, or where. */
  readonly doubt?: UnreadablePath;
}

interface Seen {
  readonly path: string;
  readonly layer: Layer;
  /**
   * Whether it may not be at this path: another mount lies over it, or its own is in doubt. It is judged all the same:
   * it can be read below `..data`, or by another reading of the pod.
   */
  readonly aside: boolean;
}

/** One way to understand a mount: its files of one reading are seen together. A mount in doubt has several. */
export interface Reading {
  /** The mount's path. */
  readonly place: string;
  readonly subPath: string;
}

export interface SeenFile extends VolumeFile, Seen {
  /** Whether the kubelet leaves it out at its own path, for a folder that it makes there. */
  readonly leftOut: boolean;
  /** Its path in the volume. */
  readonly inside: string;
  readonly reading: Reading;
}

export interface SeenUnreadablePath extends UnreadablePath, Seen {}

/** The content of mounts, outermost first. */
export interface Readable {
  readonly files: readonly SeenFile[];
  readonly unreadable: readonly SeenUnreadablePath[];
}
