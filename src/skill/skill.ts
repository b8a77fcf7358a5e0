import { sha256, sha256Hex, sha256HexElsewhere, type Sha256 } from "./digest.ts";

/** One regular file: immutable bytes, and their digest, worked out once when first asked for. */
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

  /** Works the digest out now, where it is not known yet. */
  digest(): string {
    this.#sha256 ??= sha256Hex(this.bytes);
    return this.#sha256;
  }

  /** Is the digest worked out already. */
  get isDigested(): boolean {
    return this.#sha256 !== undefined;
  }

  /** Works the digest out on another thread. */
  async digestElsewhere(): Promise<void> {
    this.#sha256 ??= await sha256HexElsewhere(this.bytes);
  }
}

/**
 * The file tree behind a reference, as an agent would read it. Directories, modes and times are not part
 * of it. Paths are relative to the skill's folder, with `/` between components; `pathFault` has nothing against them.
 */
export interface Skill {
  /** The folder's own name, where the agent sees it. */
  readonly name: string;
  readonly files: ReadonlyMap<string, SkillFile>;
}

/** Total bytes of the files of a skill. */
export function skillSize(skill: Skill): number {
  let size = 0;
  for (const file of skill.files.values()) size += file.size;
  return size;
}

/** Bytes of a file from which another thread is worth its overhead: about a tenth of a millisecond of hashing. */
const largeFile = 128 * 1024;
/** Bytes of small files that are hashed in one go: a third of a millisecond. */
const largeBatch = 512 * 1024;

/**
 * Works out the digests of a skill's files ahead of their use, without keeping the thread busy for long: a skill may
 * have 64 MiB, and other reviews wait.
 * @param yieldToEventLoop lets everything else that waits run; what it throws ends the work
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
 * Identifies a tree: two skills have the same tree digest exactly when they have the same paths with the
 * same bytes. The key of the evidence cache; framed by length, so that no two trees share an input.
 */
export function treeDigest(skill: Skill): Sha256 {
  const paths = [...skill.files.keys()].sort();
  const framed = paths.map(
    (path) => `${Buffer.byteLength(path)}:${path}:${skill.files.get(path)?.sha256 ?? ""}\n`,
  );
  return sha256(framed.join(""));
}
