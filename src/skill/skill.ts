import { sha256, sha256Hex, type Sha256 } from "./digest.ts";

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
    this.#sha256 ??= sha256Hex(this.bytes);
    return this.#sha256;
  }
}

/**
 * The file tree behind a reference, as an agent would read it. Directories, modes and times are not part
 * of it. Paths are relative to the skill's folder, with `/` between components, and have passed `assertSkillPath`.
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
