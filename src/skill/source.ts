import type { Sha256 } from "./digest.ts";
import type { SkillFile } from "./skill.ts";

/** Kinds of object whose values a volume shows as files. */
export const volumeObjectKinds = ["ConfigMap", "Secret"] as const;

/** Names a ConfigMap or Secret. Of Secrets, only those are read that a SkillTrustRoot names. */
export interface VolumeObjectRef {
  readonly kind: (typeof volumeObjectKinds)[number];
  readonly namespace: string;
  readonly name: string;
}

/** The part of an object to read. */
export interface VolumeObjectRequest extends VolumeObjectRef {
  /** Keys to decode; absent: all. */
  readonly keys?: ReadonlySet<string>;
}

/** Files of one source at one moment; the bytes never change. */
export interface FileTree {
  /** Names exactly these files at their source; empty if the source gives no such name. */
  readonly identity: string;
  /** Bytes by path. */
  readonly files: ReadonlyMap<string, SkillFile>;
}

/** An image, by the digest of its manifest. */
export interface ImageIdentity {
  readonly digest: Sha256;
}

/**
 * An object at one resource version: its identity is `uid/resourceVersion`. Its paths are its keys, from `data` and
 * `binaryData`, and never contain `/`. With `keys`, it may lack other keys.
 */
export interface VolumeObject extends VolumeObjectRequest, FileTree {
  /** Keys whose values hold U+FFFD: what is stored, and shown to containers, may be other bytes. Absent: none. */
  readonly doubtful?: ReadonlySet<string>;
  readonly immutable: boolean;
  /** `metadata.creationTimestamp`; absent in a file. */
  readonly createdAt?: string;
}

/**
 * Port: reads ConfigMaps and Secrets. A read is consistent: it returns the present state, never an older one from a
 * watch.
 */
export interface SkillSource {
  /**
   * The object with the requested keys, and possibly more; undefined if it does not exist.
   * @throws SourceError if the read failed: a failure must never look like an absent object
   */
  read(request: VolumeObjectRequest, signal: AbortSignal): Promise<VolumeObject | undefined>;
}
