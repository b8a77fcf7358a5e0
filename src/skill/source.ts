import type { SkillFile } from "./skill.ts";

/** A namespaced object that holds files by key: a ConfigMap, or a Secret where reading Secrets is switched on. */
export interface VolumeObjectRef {
  readonly kind: "ConfigMap" | "Secret";
  readonly namespace: string;
  readonly name: string;
}

/** What of an object is asked for. */
export interface VolumeObjectRequest extends VolumeObjectRef {
  /** Keys whose bytes are needed; absent: those of all keys. */
  readonly keys?: ReadonlySet<string>;
}

/** Such an object as it was at one resource version; its bytes never change. Where it has `keys`, others may be missing. */
export interface VolumeObject extends VolumeObjectRequest {
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
   * The object with the keys that are asked for, and possibly more; undefined where it does not exist.
   * @throws SourceError when it could not be read; a failed read never looks like an absent object.
   */
  read(request: VolumeObjectRequest, signal: AbortSignal): Promise<VolumeObject | undefined>;
}
