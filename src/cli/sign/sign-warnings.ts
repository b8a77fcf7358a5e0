import { formats, type Format, type SignableFormat } from "../../signature/formats.ts";
import { isGitPath } from "../../signature/oms/ignore.ts";
import { skillFilePath } from "../../skill/skill-file.ts";
import type { Skill } from "../../skill/skill.ts";

/** True if the present signature of this format would fail with the new signature file beside it. */
function isBrokenBy(skill: Skill, format: Format, path: string): boolean {
  const { file, isIn, passesOver, leavesRoomFor } = format;
  if (file === path || !skill.files.has(file) || !isIn(skill) || passesOver(path)) return false;
  return leavesRoomFor?.(skill, path) !== true;
}

/**
 * Warns about present signatures that do not allow for the new one.
 * @param path of the new signature
 * @param leftOut files that the new signature ignores, for later signatures
 */
const besideWarnings = (skill: Skill, path: string, leftOut: readonly string[]): readonly string[] =>
  formats
    .filter((format) => isBrokenBy(skill, format, path))
    .map(({ file }) =>
      leftOut.includes(file)
        ? `${file} is there already and does not know the new ${path}: make it anew`
        : `${file} is there too, and does not cover ${path}: a policy that trusts its signer denies the skill, unless it says otherSignatures; docs/formats/several.md says in which order both can be made`,
    );

/** Warnings about the folder: repository files that change by themselves, a second signature. */
export function signWarnings(
  directory: string,
  skill: Skill,
  { file, signing }: SignableFormat,
  leftOut: readonly string[],
): readonly string[] {
  const repository = [...skill.files.keys()].find((path) => isGitPath(path) && !signing.leavesOut(path));
  const isSkill = skillFilePath(skill) !== undefined;
  return [
    ...(isSkill ? [] : [`${directory} has no SKILL.md; is it the folder of a skill?`]),
    ...(repository === undefined
      ? []
      : [`a repository's own files are signed too, such as ${repository}: sign a clean copy of the skill`]),
    ...besideWarnings(skill, file, leftOut),
  ];
}
