import type { Skill } from "./skill.ts";
import type { ImageIdentity } from "./source.ts";
import type { SourceErrorCode } from "./source-error.ts";

/**
 * Kinds of place that put files into a container, in the order of the documentation. The names are those of policies:
 * `sources`, `unverifiable`.
 */
export const podSourceKinds = [
  "ConfigMap",
  "Projected",
  "Secret",
  "DownwardAPI",
  "Image",
  "EmptyDir",
  "PersistentVolumeClaim",
  "CSI",
  "HostPath",
  "Ephemeral",
  "Other",
] as const;

/** A folder on the command line is in no cluster, and comes into one as something else. */
export type SourceKind = (typeof podSourceKinds)[number] | "Directory";

/** One volume (or folder) that contributes to a skill. */
export interface SourceUse {
  readonly kind: SourceKind;
  /** Name of the object behind it: the ConfigMap, the claim, the image reference; the volume's name where there is none. */
  readonly name: string;
  /** ConfigMaps: is `immutable: true` set. Absent where the word has no meaning. */
  readonly immutable?: boolean;
  /** Could a container of the pod write through this mount. */
  readonly writable: boolean;
}

/** What is known of the bytes behind a reference. */
export type SkillContent =
  | { readonly state: "resolved"; readonly skill: Skill; readonly image?: ImageIdentity }
  | { readonly state: "unverifiable"; readonly kind: SourceKind; readonly detail: string }
  | { readonly state: "unavailable"; readonly code: SourceErrorCode; readonly detail: string };

/** One place in an object through which one skill enters. */
export interface SkillReference {
  /** The folder's name at the mount; what a policy's `names` must match (with the name in SKILL.md). */
  readonly name: string;
  /** Absolute path of the skill's folder inside the containers, for example `/skills/data-designer`. */
  readonly path: string;
  /** Containers that see exactly this skill there, in the order of the pod. */
  readonly containers: readonly string[];
  /** Every volume that contributes a file, outermost mount first. Never empty. */
  readonly sources: readonly SourceUse[];
  readonly content: SkillContent;
  /** The pod that mounts it, `namespace/name`, where the object under review is not that pod itself. */
  readonly mountedBy?: string;
}
