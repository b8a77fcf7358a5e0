import { memoizeByObject } from "../text/memoize-by-object.ts";
import { sha256, sha256Hex, sha256HexElsewhere, type Sha256 } from "./digest.ts";

/** One regular file: immutable bytes with their digest, computed on first use. */
export class SkillFile {
  readonly bytes: Uint8Array;
  #sha256: string | undefined;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  /** Length in bytes. */
  get size(): number {
    return this.bytes.byteLength;
  }

  /** SHA-256 as 64 lower-case hex digits. */
  get sha256(): string {
    return this.digest();
  }

  /** Computes the digest unless it is known. */
  digest(): string {
    this.#sha256 ??= sha256Hex(this.bytes);
    return this.#sha256;
  }

  /** Whether the digest is known. */
  get isDigested(): boolean {
    return this.#sha256 !== undefined;
  }

  /** Computes the digest on another thread. */
  async digestElsewhere(): Promise<void> {
    this.#sha256 ??= await sha256HexElsewhere(this.bytes);
  }
}

/**
 * A skill's files, as an agent reads them; directories, modes and times are no part of it. Paths are relative to the
 * skill's folder, with `/` between components, and have no `pathFault`.
 */
export interface Skill {
  /** The folder's name, as the agent sees it. */
  readonly name: string;
  readonly files: ReadonlyMap<string, SkillFile>;
}

/** Total bytes of the files of a skill. */
export function skillSize(skill: Skill): number {
  let size = 0;
  for (const file of skill.files.values()) size += file.size;
  return size;
}

/** Bytes of a file from which another thread is worth its overhead: a tenth of a millisecond of hashing. */
const largeFile = 128 * 1024;
/** Bytes of small files that are hashed without a pause: a third of a millisecond. */
const largeBatch = 512 * 1024;

/**
 * Computes the digests of a skill's files ahead of use, in small steps: a skill may have 64 MiB, and other reviews
 * wait.
 * @param yieldToEventLoop lets other work run; its error ends the computation
 */
export async function digestFiles({ files }: Skill, yieldToEventLoop: () => Promise<void>): Promise<void> {
  let batch = 0;
  for (const file of files.values()) {
    if (file.isDigested) continue;
    if (file.size >= largeFile) {
      await file.digestElsewhere();
      continue;
    }
    file.digest();
    batch += file.size;
    if (batch < largeBatch) continue;
    await yieldToEventLoop();
    batch = 0;
  }
}

/**
 * Digest of a tree: equal exactly for trees with the same paths and bytes. Part of the evidence cache's key. Paths
 * are framed by their length: no two trees share an input.
 */
export const treeDigest: (skill: Skill) => Sha256 = memoizeByObject((skill) => {
  const paths = [...skill.files.keys()].sort();
  const framed = paths.map(
    (path) => `${Buffer.byteLength(path)}:${path}:${skill.files.get(path)?.sha256 ?? ""}\n`,
  );
  return sha256(framed.join(""));
});
