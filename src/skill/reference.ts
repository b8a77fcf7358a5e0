import type { Skill } from "./skill.ts";
import type { ImageIdentity } from "./source.ts";
import type { SourceErrorCode } from "./source-error.ts";

/**
 * Kinds of volumes that put files into a container, as policies name them in `sources` and `unverifiable`, in the
 * documentation's order.
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

/** `Directory` is a folder on the command line. */
export type SourceKind = (typeof podSourceKinds)[number] | "Directory";

/** One volume (or folder) that contributes to a skill. */
export interface SourceUse {
  readonly kind: SourceKind;
  /** Name of the ConfigMap or claim, the image reference, …; the volume's name if nothing else has one. */
  readonly name: string;
  /** Whether `immutable: true` is set; absent for kinds without the field. */
  readonly immutable?: boolean;
  /** Whether a container of the pod can write to it. */
  readonly writable: boolean;
}

/**
 * The rule by which unreadable content counts: it lies at or inside a skill root; above one, a home or the working
 * directory; above one agent's absolute root only; in a container whose home is not known; or it gives access to other
 * pods' volumes through the node.
 */
export type PlaceRule =
  "root" | "above" | "agentPrefix" | "unknownHome" | "hostRuntime" | "hostRuntimeReadOnly";

/** Why a place counts, where its content cannot be read. */
export interface Place {
  readonly rule: PlaceRule;
  /** One clause for messages. */
  readonly why: string;
  /** Remedy for whoever writes the pod, in the imperative; absent: the reason's own. */
  readonly remedy?: string;
}

/** The bytes behind a reference, or the reason why they are not available. */
export type SkillContent =
  | { readonly state: "resolved"; readonly skill: Skill; readonly image?: ImageIdentity }
  | {
      readonly state: "unverifiable";
      readonly kind: SourceKind;
      readonly detail: string;
      /** Remedy in the imperative, for a fault of the pod; absent: the place's, or else the reason's own. */
      readonly remedy?: string;
      /** Absent: the fault counts wherever it lies. */
      readonly place?: Place;
    }
  | {
      readonly state: "unavailable";
      readonly code: SourceErrorCode;
      readonly detail: string;
      /** An object that is named does not exist, and may come later. */
      readonly isAbsent?: true;
      /** An object could not be read now: it says nothing of the skill, and another attempt may. */
      readonly isUnread?: true;
    }
  | PodFault;

/** A fault of a pod that leaves in doubt what is seen. @param fault what is wrong; what to do */
export function inDoubt(
  kind: SourceKind,
  fault: string,
): Extract<SkillContent, { readonly state: "unverifiable" }> {
  const end = fault.lastIndexOf("; ");
  return { state: "unverifiable", kind, detail: fault.slice(0, end), remedy: fault.slice(end + 2) };
}

/**
 * No skill, but what breaks a demand of policies: one mount of a pod, root file systems, processes, its node, or a
 * deletion under running pods.
 */
export interface PodFault {
  readonly state: "fault";
  readonly demand: "closed" | "rootFilesystem" | "processes" | "binding" | "inUse";
  /** Path of the field in the object, where it is one; absent for a mount that several containers have. */
  readonly field?: string;
  /** Names of the policies that demand it. */
  readonly policies: readonly string[];
  readonly detail: string;
  /** Remedy in the imperative; absent: the reason's own. */
  readonly remedy?: string;
}

/** One skill at one path, as containers of an object see it. */
export interface SkillReference {
  /** The folder's name at the mount. A policy's `names` must match it and the name in SKILL.md. */
  readonly name: string;
  /** Absolute path of the skill's folder inside the containers, `/skills/data-designer`; empty for no place in these. */
  readonly path: string;
  /** Containers that see exactly this skill at this path, in the pod's order. */
  readonly containers: readonly string[];
  /** Volumes that contribute a file, outermost mount first. Never empty. */
  readonly sources: readonly SourceUse[];
  readonly content: SkillContent;
  /** The reason why running containers would show files of two versions of it if the change under review were made. */
  readonly obstacle?: string;
  /** The ConfigMap of which a change that may be stored at any moment makes the skill what it is here. */
  readonly expectedChange?: string;
  /** The pod that mounts it, `namespace/name`; absent if the object under review is that pod. */
  readonly mountedBy?: string;
}
