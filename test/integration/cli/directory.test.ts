import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { skillLimits } from "../../../src/skill/limits.ts";
import { pathFault } from "../../../src/skill/path.ts";
import { SourceError } from "../../../src/skill/source-error.ts";
import { readSkillDirectory } from "../../../src/sources/directory.ts";
import { runs } from "../../fixtures/property-runs.ts";

let folder: string;

beforeEach(() => {
  folder = join(mkdtempSync(join(tmpdir(), "directory-")), "demo");
  mkdirSync(folder);
});

afterEach(() => {
  rmSync(join(folder, ".."), { recursive: true, force: true });
});

function put(path: string, content: string | Uint8Array = "x"): void {
  mkdirSync(join(folder, path, ".."), { recursive: true });
  writeFileSync(join(folder, path), content);
}

async function refusal(directory = folder): Promise<SourceError> {
  try {
    await readSkillDirectory(directory);
  } catch (error) {
    if (error instanceof SourceError) return error;
    throw error;
  }
  throw new Error("the folder was read");
}

describe("readSkillDirectory", () => {
  it("reads every regular file, dotfiles and empty ones included, under the folder's name", async () => {
    put("SKILL.md", "# demo\n");
    put("scripts/run.sh", Uint8Array.of(0, 255, 10));
    put(".github/x.sh");
    put("references/ä b.md");
    put("empty", "");
    mkdirSync(join(folder, "nothing"));
    const skill = await readSkillDirectory(folder);
    expect(skill.name).toBe("demo");
    expect([...skill.files.keys()].sort()).toEqual(
      [".github/x.sh", "SKILL.md", "empty", "references/ä b.md", "scripts/run.sh"].sort(),
    );
    expect(skill.files.get("scripts/run.sh")?.bytes).toEqual(Uint8Array.of(0, 255, 10));
    expect(skill.files.get("empty")?.size).toBe(0);
  });

  it("takes the name from the folder, not from how it was written", async () => {
    put("SKILL.md");
    expect((await readSkillDirectory(`${folder}/./`)).name).toBe("demo");
  });

  it("gives back what was written, whatever the paths and bytes", async () => {
    const name = fc
      .string({ unit: "binary", minLength: 1, maxLength: 12 })
      .filter((part) => !part.includes("/") && !part.startsWith("..") && pathFault(part) === undefined);
    await fc.assert(
      fc.asyncProperty(name, name, fc.uint8Array({ maxLength: 5000 }), async (parent, file, bytes) => {
        rmSync(folder, { recursive: true });
        mkdirSync(folder);
        put(`${parent}/${file}`, bytes);
        const { files } = await readSkillDirectory(folder);
        expect([...files.keys()]).toEqual([`${parent}/${file}`]);
        expect(files.get(`${parent}/${file}`)?.bytes).toEqual(bytes);
      }),
      runs(50),
    );
  });

  it.each(["SKILL.md", "sub/link"])(
    "refuses a symbolic link at %s, even one that leads nowhere",
    async (path) => {
      put("a.md");
      mkdirSync(join(folder, "sub"), { recursive: true });
      symlinkSync("a.md", join(folder, path));
      const error = await refusal();
      expect(error.code).toBe("SOURCE_MALFORMED");
      expect(error.message).toContain(path);
      expect(error.message).toContain("symbolic link");
    },
  );

  it("refuses a link to a folder, inside and as the folder itself", async () => {
    put("a.md");
    symlinkSync(tmpdir(), join(folder, "elsewhere"));
    expect((await refusal()).message).toMatch(/elsewhere.*symbolic link/);
    symlinkSync(folder, join(folder, "..", "alias"));
    expect((await refusal(join(folder, "..", "alias"))).message).toContain(
      "name the folder that it points to",
    );
  });

  it("tells a ConfigMap volume apart from other links, and says what to do", async () => {
    put("..2026_11_21/SKILL.md");
    symlinkSync("..2026_11_21", join(folder, "..data"));
    symlinkSync("..data/SKILL.md", join(folder, "SKILL.md"));
    const error = await refusal();
    expect(error.code).toBe("SOURCE_MALFORMED");
    expect(error.message).toContain("ConfigMap volume");
    expect(error.message).toContain("skill-admission apply");
  });

  it("refuses a pipe without waiting for its writer", async () => {
    execFileSync("mkfifo", [join(folder, "pipe")]);
    expect((await refusal()).message).toMatch(/pipe.*neither a file nor a folder/);
  });

  it("refuses a name that is not UTF-8", async () => {
    writeFileSync(Buffer.concat([Buffer.from(`${folder}/`), Buffer.from([0x61, 0xff])]), "x");
    const error = await refusal();
    expect(error.code).toBe("SOURCE_MALFORMED");
    expect(error.message).toContain("not UTF-8");
  });

  it("refuses names with control characters, and names that some file system takes for the same", async () => {
    put("a\nb");
    expect((await refusal()).message).toContain("control character");
    rmSync(join(folder, "a\nb"));
    put("Readme.md");
    put("README.md");
    expect((await refusal()).message).toContain("letter case");
  });

  it("refuses a folder that is not there, a file, and one that may not be opened", async () => {
    const absent = await refusal(join(folder, "no"));
    expect([absent.code, absent.message]).toEqual([
      "SOURCE_UNAVAILABLE",
      `cannot read ${JSON.stringify(join(folder, "no"))}: it does not exist`,
    ]);
    put("file");
    expect((await refusal(join(folder, "file"))).message).toContain("is not a folder");
    chmodSync(join(folder, "file"), 0);
    if (process.getuid?.() !== 0) expect((await refusal()).message).toContain("permission denied");
  });

  it("stops at the bounds of a skill: bytes, files, depth", async () => {
    put("big");
    truncateSync(join(folder, "big"), skillLimits.bytes + 1);
    expect([(await refusal()).code, (await refusal()).message]).toEqual([
      "LIMIT_EXCEEDED",
      expect.stringContaining("more than 64 MiB"),
    ]);
    rmSync(join(folder, "big"));
    put(`${"d/".repeat(skillLimits.depth)}x`);
    expect((await refusal()).message).toContain("deeper than");
    rmSync(join(folder, "d"), { recursive: true });
    for (let index = 0; index <= skillLimits.files; index += 1) writeFileSync(join(folder, `f${index}`), "");
    expect((await refusal()).message).toContain(`more than ${skillLimits.files} files`);
  });

  it("says that a repository is what makes the folder too large", async () => {
    put(".git/HEAD");
    put("z");
    truncateSync(join(folder, "z"), skillLimits.bytes);
    expect((await refusal()).message).toContain("git archive");
  });
});
