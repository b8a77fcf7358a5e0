import { collisionKey, baseName } from "./path.ts";
import type { Skill } from "./skill.ts";

/** Whether a name ends in `.md`, in any letters that some reader takes for these. */
export const isMarkdown = (path: string): boolean =>
  isPlain(path) ? /\.md$/i.test(path) : /\.md$/i.test(baseName(path).normalize("NFKC"));

/** Whether a file is named `SKILL.md`, in any letters that some reader takes for these. */
export const isSkillFile = (path: string): boolean =>
  isPlain(path) ? /(?:^|\/)skill\.md$/i.test(path) : collisionKey(baseName(path)) === "skill.md";

/** Path of the skill's own file (agentskills.io): `SKILL.md`, else `skill.md`, else undefined. */
export const skillFilePath = ({ files }: Skill): string | undefined =>
  ["SKILL.md", "skill.md"].find((name) => files.has(name));

const isPlain = (path: string): boolean => /^[\u0020-\u007e]*$/.test(path);
