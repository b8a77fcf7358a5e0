import { SkillFile, type Skill } from "../../../src/skill/skill.ts";

const encoder = new TextEncoder();

export const fileOf = (content: string | Uint8Array): SkillFile =>
  new SkillFile(typeof content === "string" ? encoder.encode(content) : content);

/** A skill `demo` with these files, SKILL.md in order unless one is given. */
export function skillOf(files: Readonly<Record<string, string | Uint8Array>>, name = "demo"): Skill {
  const all = { "SKILL.md": "---\nname: demo\ndescription: Shows how.\n---\n# Demo\n", ...files };
  return {
    name,
    files: new Map(Object.entries(all).map(([path, content]) => [path, fileOf(content)])),
  };
}
