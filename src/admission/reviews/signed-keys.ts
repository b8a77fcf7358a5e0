import type { SkillFile } from "../../skill/skill.ts";
import type { VolumeObject } from "../../skill/source.ts";
import { isByProduct } from "../../signature/trust-card/listing.ts";
import { vettFileNames } from "../../signature/vett/manifest.ts";
import { blocks, type SkillResult } from "../../policy/finding.ts";

/**
 * The keys of an object whose bytes are in no skill that passes its policy and signs them.
 * @param results of skills that show files of the object
 * @param isPartial whether another part of the skill is gone, such as a ConfigMap that was deleted a moment before
 */
export function unsignedKeys(
  { files }: VolumeObject,
  results: readonly SkillResult[],
  isPartial: (result: SkillResult) => boolean,
): readonly string[] {
  const signed = new Set(
    results.flatMap((result) => signedFiles(result, isPartial(result)).map(({ sha256 }) => sha256)),
  );
  return [...files].flatMap(([key, { sha256 }]) => (signed.has(sha256) ? [] : [key]));
}

function signedFiles(result: SkillResult, isPartial: boolean): readonly SkillFile[] {
  const { reference, evidence, findings } = result;
  if (reference.content.state !== "resolved" || evidence === undefined) return [];
  const files = [...reference.content.skill.files];
  const { signature } = evidence;
  const without = (isOut: (path: string) => boolean): readonly SkillFile[] =>
    files.flatMap(([path, file]) => (isOut(path) ? [] : [file]));
  const unlisted = new Set("unlisted" in signature ? signature.unlisted : []);
  if (!findings.some(blocks)) return without((path) => unlisted.has(path));
  if (!isPartial || signature.outcome === "untrusted" || findings.some(({ code }) => code === "REVOKED"))
    return [];
  // As a whole it was judged when its pod came, or when the object was made under it: only files outside of its
  // signature were not.
  if (signature.outcome === "unsigned") return without(mayBeLeftOut);
  const different = new Set("differences" in signature ? signature.differences.map(({ path }) => path) : []);
  return without((path) => unlisted.has(path) || different.has(path));
}

/** Paths that some format's signature does not cover, where the signature itself is not there to say it. */
const mayBeLeftOut = (path: string): boolean =>
  path === vettFileNames.analysis || isByProduct(path) || /(?:^|\/)\./.test(path);
