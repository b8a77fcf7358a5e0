import { describe, expect, it } from "vitest";
import { skillFilePath } from "../../../src/skill/skill-file.ts";
import { SkillFile } from "../../../src/skill/skill.ts";

describe("skillFilePath", () => {
  it.each([
    [["SKILL.md"], "SKILL.md"],
    [["skill.md"], "skill.md"],
    [["skill.md", "SKILL.md"], "SKILL.md"],
    [["Skill.md", "docs/SKILL.md"], undefined],
  ])("of %j is %s", (paths, path) => {
    const files = new Map(paths.map((name) => [name, new SkillFile(Uint8Array.of())]));
    expect(skillFilePath({ name: "x", files })).toBe(path);
  });
});
