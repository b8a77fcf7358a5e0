import type { Sha256 } from "./digest.ts";
import type { SkillFile } from "./skill.ts";

/** A namespaced object that holds files by key. Of Secrets only those are read that a SkillTrustRoot names. */
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

/** Files as their source shows them at one moment; the bytes never change. */
export interface FileTree {
  /** Names exactly these files at their source; empty where the source gives none. */
  readonly identity: string;
  /** Path → bytes. */
  readonly files: ReadonlyMap<string, SkillFile>;
}

/** An image, by the digest of its manifest. */
export interface ImageIdentity {
  readonly digest: Sha256;
}

/**
 * Such an object at one resource version: its identity is `uid/resourceVersion`, its paths are its keys, from `data` (UTF-8) and
 * `binaryData` (base64), and never contain `/`. Where it has `keys`, others may be missing.
 */
export interface VolumeObject extends VolumeObjectRequest, FileTree {
  readonly immutable: boolean;
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
