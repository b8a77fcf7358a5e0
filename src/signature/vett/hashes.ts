import { createHash } from "node:crypto";
import type { SkillFile } from "../../skill/skill.ts";
import type { VettManifest } from "./manifest.ts";

/** By which a registry may call one version of a skill; 64 lower-case hex digits each. */
export interface VettHashes {
  /** SHA-256 over the artifact's bytes: what the registry's documentation says, and what the signature is over. */
  readonly raw: string;
  /** What the registry's client compares first: see `logicalHash`. */
  readonly logical: string;
}

/**
 * SHA-256 over version and entry point, then `path:content` of all files in the order of UTF-16, a line feed between all of
 * them (`computeManifestHash` of `@vett/core`). Nothing says how long a part is, so that manifests that cut the same
 * text into other files have the same hash: it names a version, and proves nothing.
 */
export function logicalHash({ schemaVersion, entryPoint = "", files }: VettManifest): string {
  const digest = createHash("sha256").update(`${schemaVersion}:${entryPoint}`);
  // The language's own order, which is the one that is meant: by UTF-16, whole entries.
  const entries = files.map(({ path, content }) => `${path}:${content}`).sort();
  // One after the other: together they would be a text as long as the skill.
  for (const entry of entries) digest.update("\n").update(entry);
  return digest.digest("hex");
}

/** Both hashes of an artifact, worked out from its bytes. */
export const hashesOf = ({ sha256 }: SkillFile, manifest: VettManifest): VettHashes => ({
  raw: sha256,
  logical: logicalHash(manifest),
});
