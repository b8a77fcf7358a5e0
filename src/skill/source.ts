import type { SkillFile } from "./skill.ts";

/** A namespaced object that holds files by key: a ConfigMap, or a Secret where reading Secrets is switched on. */
export interface VolumeObjectRef {
  readonly kind: "ConfigMap" | "Secret";
  readonly namespace: string;
  readonly name: string;
}

/** Such an object as it was at one resource version; its bytes never change. */
export interface VolumeObject extends VolumeObjectRef {
  readonly uid: string;
  readonly resourceVersion: string;
  readonly immutable: boolean;
  /** Key → bytes, from `data` (UTF-8) and `binaryData` (base64). Keys never contain `/`. */
  readonly files: ReadonlyMap<string, SkillFile>;
}

/**
 * Port: where the bytes of volumes come from. One read is a consistent read of the object's present state,
 * never an older one from a watch.
 */
export interface SkillSource {
  /**
   * The object, or undefined where it does not exist.
   * @throws SourceError when it could not be read; a failed read never looks like an absent object.
   */
  read(ref: VolumeObjectRef, signal: AbortSignal): Promise<VolumeObject | undefined>;
}
