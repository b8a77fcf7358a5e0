import { createHash } from "node:crypto";
import type { SkillFile } from "../../skill/skill.ts";
import type { VettManifest } from "./manifest.ts";

/** Hashes by which a registry may name one version of a skill; 64 lower-case hex digits each. */
export interface VettHashes {
  /** SHA-256 over the artifact's bytes: the one that is documented and signed. */
  readonly raw: string;
  /** The hash that the registry's client compares first: see `logicalHash`. */
  readonly logical: string;
}

/**
 * SHA-256 over version and entry point, then `path:content` of all files in UTF-16 order, joined by line feeds
 * (`computeManifestHash` of `@vett/core`). It names a version and proves nothing: parts have no lengths, so manifests
 * that cut the same text into other files share a hash.
 */
export function logicalHash({ schemaVersion, entryPoint = "", files }: VettManifest): string {
  const digest = createHash("sha256").update(`${schemaVersion}:${entryPoint}`);
  // JavaScript's default order, over whole entries, is the specified one: by UTF-16.
  const entries = files.map(({ path, content }) => `${path}:${content}`).sort();
  // Joined, the entries would be a text as long as the skill.
  for (const entry of entries) digest.update("\n").update(entry);
  return digest.digest("hex");
}

/** Both hashes of an artifact. */
export const hashesOf = ({ sha256 }: SkillFile, manifest: VettManifest): VettHashes => ({
  raw: sha256,
  logical: logicalHash(manifest),
});
