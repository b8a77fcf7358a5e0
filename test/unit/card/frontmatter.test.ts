import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readFrontmatter } from "../../../src/card/frontmatter.ts";
import { skillOf } from "./skill-of.ts";

const read = (frontmatter: string, name = "demo") =>
  readFrontmatter(skillOf({ "SKILL.md": `---\n${frontmatter}\n---\n# Body\n` }, name));
const faultsOf = (frontmatter: string, name = "demo") =>
  read(frontmatter, name).faults.map(({ field, detail }) => `${field ?? ""}: ${detail}`);

const valid = "name: demo\ndescription: Shows how.";

describe("readFrontmatter", () => {
  it("reads every field of the rules, each scalar as text", () => {
    const reading = read(
      `${valid}\nlicense: Apache-2.0\ncompatibility: Linux\nversion: 1.10\nallowed-tools: Bash(git:*) Read\nmetadata:\n  author: a\n  tags: [x, y]`,
    );
    expect(reading).toEqual({
      frontmatter: {
        name: "demo",
        description: "Shows how.",
        license: "Apache-2.0",
        version: "1.10",
        compatibility: "Linux",
        path: "SKILL.md",
        allowedTools: ["Bash(git:*)", "Read"],
        metadata: { author: "a", tags: ["x", "y"] },
      },
      faults: [],
    });
  });

  it("takes the keys of real skills that the rules do not name for claims", () => {
    const reading = read(
      `${valid}\ntags: [a]\nwhen_to_use: now\nuser_invocable: true\ntools:\n- Shell\npermissions: {network: egress, shell: none}`,
    );
    expect(reading.faults).toEqual([]);
    expect(reading.frontmatter?.allowedTools).toEqual(["Shell", "network:egress"]);
  });

  it("takes the version from metadata where there is no other", () => {
    expect(read(`${valid}\nmetadata: {version: "3.2.0"}`).frontmatter?.version).toBe("3.2.0");
    expect(read(`${valid}\nversion: 1\nmetadata: {version: 2}`).frontmatter?.version).toBe("1");
  });

  it.each([
    ["name: demo", "description: is missing"],
    ["description: d", "name: is missing"],
    ["name: ''\ndescription: d", "name: is empty"],
    ["name: demo\ndescription: ' '", "description: is empty"],
    ["name: [demo]\ndescription: d", "name: is not text"],
    ["name: Demo\ndescription: d", "name: must be of a-z, 0-9"],
    ["name: de--mo\ndescription: d", "name: must be of a-z, 0-9"],
    ["name: -demo\ndescription: d", "name: must be of a-z, 0-9"],
    ["name: dеmo\ndescription: d", "name: must be of a-z, 0-9"],
    ["name: other\ndescription: d", 'name: "other" is not the folder\'s name "demo"'],
    [`name: demo\ndescription: ${"d".repeat(1_025)}`, "description: is longer than 1024 characters"],
    [`${valid}\ncompatibility: ${"c".repeat(501)}`, "compatibility: is longer than 500 characters"],
    [`${valid}\ncompatibility: ''`, "compatibility: is empty"],
    [`${valid}\nlicense: {a: b}`, "license: is not text"],
    [`${valid}\nmetadata: words`, "metadata: is not a mapping"],
    [`${valid}\nallowed-tools: ${"Read ".repeat(1_001)}`, "allowed-tools: more than 1000 entries"],
    [`${valid}\nallowed-tools: ${"R".repeat(513)}`, "allowed-tools: an entry is longer than 512"],
    [`${valid}\nname: twice`, 'the key "name" stands twice'],
    [`${valid}\nx: &a 1`, "line 4: the anchor &a is refused"],
    ["- a list", "is not a YAML mapping"],
    [`${valid}\nx: "\u0007"`, "control character"],
  ])("finds fault with %j", (frontmatter, fault) => {
    expect(faultsOf(frontmatter).some((found) => found.includes(fault))).toBe(true);
    expect(faultsOf(valid)).toEqual([]);
  });

  it("counts characters, not UTF-16 units", () => {
    expect(faultsOf(`name: demo\ndescription: ${"😀".repeat(1_024)}`)).toEqual([]);
  });

  it("allows a name of 64 characters, and no more", () => {
    expect(faultsOf(`name: ${"n".repeat(64)}\ndescription: d`, "n".repeat(64))).toEqual([]);
    expect(faultsOf(`name: ${"n".repeat(65)}\ndescription: d`, "n".repeat(65))).toEqual([
      "name: is longer than 64 characters; shorten it",
    ]);
  });

  it.each([
    ["no frontmatter", "# Demo\n", /the first line is not "---"/],
    ["frontmatter behind an empty line", `\n---\n${valid}\n---\n`, /the first line is not "---"/],
    ["frontmatter that is never closed", `---\n${valid}\n`, /never closed/],
    ["empty frontmatter", "---\n---\n", /not a YAML mapping/],
    ["an empty file", "", /the first line/],
    ["what is not UTF-8", Uint8Array.of(0x2d, 0xff), /not UTF-8/],
    ["a file of 2 MiB", "x".repeat(2 << 20), /longer than/],
    ["frontmatter of 100 KB", `---\na: ${"x".repeat(100_000)}\n---\n`, /longer than 65536 bytes/],
    ["a byte order mark", `\ufeff---\n${valid}\n---\n`, /byte order mark/],
  ])("finds fault with %s", (_, content, fault) => {
    const { faults } = readFrontmatter(skillOf({ "SKILL.md": content }));
    expect(faults).toHaveLength(1);
    expect(faults[0]?.path).toBe("SKILL.md");
    expect(faults[0]?.detail).toMatch(fault);
  });

  it("tolerates CRLF line ends and blanks behind the marks", () => {
    const { faults, frontmatter } = readFrontmatter(
      skillOf({ "SKILL.md": "--- \r\nname: demo\r\ndescription: d\r\n---\t\r\nbody" }),
    );
    expect(faults).toEqual([]);
    expect(frontmatter?.description).toBe("d");
  });

  it("falls back to skill.md, and says so when there is neither", () => {
    const lower = { name: "demo", files: new Map(skillOf({}).files) };
    lower.files.set("skill.md", lower.files.get("SKILL.md")!);
    lower.files.delete("SKILL.md");
    expect(readFrontmatter(lower)).toMatchObject({ frontmatter: { name: "demo" }, faults: [] });
    expect(readFrontmatter({ name: "demo", files: new Map() }).faults).toEqual([
      { path: "SKILL.md", detail: "is missing: without it this is no skill" },
    ]);
  });

  it("never throws, whatever the bytes", () => {
    const unit = fc.constantFrom(
      "---\n",
      "name",
      ":",
      " ",
      "\n",
      "-",
      "[",
      "{",
      "}",
      "&a",
      "*a",
      "|",
      ">",
      '"',
      "metadata:",
    );
    const text = fc.string({ unit, maxLength: 60 }).map((body) => `---\n${body}\n---\n`);
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array(), text), (content) => {
        const { frontmatter, faults } = readFrontmatter(skillOf({ "SKILL.md": content }));
        expect(frontmatter !== undefined || faults.length > 0).toBe(true);
      }),
    );
  });
});
