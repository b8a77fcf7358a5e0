import { describe, expect, it } from "vitest";
import { declaresSkill } from "../../../src/skill/declares-skill.ts";
import { SkillFile } from "../../../src/skill/skill.ts";

const declares = (text: string): boolean => declaresSkill(new SkillFile(Buffer.from(text)));

describe("declaresSkill", () => {
  it.each([
    ["plain keys", "---\nname: e\ndescription: d\n---\n"],
    ["line ends of Windows", "---\r\nname: e\r\ndescription: d\r\n---\r\n"],
    ["line ends of old Macs", "---\rname: e\rdescription: d\r---\r"],
    ["line ends of Unicode", "---\u0085name: e\u2028description: d\u0085---\n"],
    ["a byte order mark and blank lines", "\ufeff\n\n---\nname: e\ndescription: d\n---\n"],
    ["a comment behind the dashes", "--- # skill\nname: e\ndescription: d\n---\n"],
    ["a language behind the dashes", "---yaml\nname: e\ndescription: d\n---\n"],
    ["JSON behind the dashes", '---json \n{"name": "e", "description": "d"}\n---\n'],
    ["a tag behind the dashes", "--- !!map\nname: e\ndescription: d\n---\n"],
    ["quoted keys in braces", "---\n{\"name\": e, 'description': d}\n---\n"],
    ["keys behind question marks", "---\n? name\n: e\n? !!str description\n: d\n---\n"],
    ["keys behind anchors and tags", "---\n&a name: e\n&b !!str description: d\n---\n"],
    ["aliases as keys", "---\na: &n name\n*n : e\nb: &d description\n*d : d\n---\n"],
    [
      "a key of long escapes",
      `---\nname: e\n"${Array.from("description", (c) => `\\U000000${c.charCodeAt(0).toString(16)}`).join("")}": d\n---\n`,
    ],
    ["explicit keys with escapes", '---\n? "n\\u0061me"\n: e\n? "d\\u0065scription"\n: d\n---\n'],
    ["escaped keys", '---\n"na\\u006de": e\n"descriptio\\u006e": d\n---\n'],
    ["no end", "---\nname: e\ndescription: d\n"],
  ])("finds name and description with %s", (_, text) => {
    expect(declares(text)).toBe(true);
  });

  it.each([
    ["no frontmatter", "# Notes\n\nname: e\ndescription: d\n"],
    ["a line between dashes", "---title---\nname: e\ndescription: d\n---\n"],
    ["a name alone", "---\nname: e\n---\ndescription: d\n"],
    ["a description alone", "---\ndescription: d\n---\n"],
    ["other keys that end alike", "---\nfilename: e\nlong-description: d\n---\n"],
    ["the words in a value", "---\ntitle: the name and description\n---\n"],
    ["a tag at a key, but other words", "---\n!!str title: t\n---\n"],
    ["items and bold words in place of aliases", "---\n* name and description : d\n**name** : description\n"],
    ["an escape in a value", '---\nname: "a\\tb"\n---\n'],
  ])("finds none with %s", (_, text) => {
    expect(declares(text)).toBe(false);
  });

  const head = 64 * 1024;
  const filler = (bytes: number) => "# a comment\n".repeat(bytes / 12);
  const keys = "name: e\ndescription: d\n---\n";

  it.each([
    ["keys behind the first 64 KiB", `---\n${filler(2 * head)}${keys}`],
    ["blank lines all along, and the dashes behind", `${"\n".repeat(2 * head)}---\n${keys}`],
    ["an opening that is cut through", `${"\n".repeat(head - 2)}---\n${keys}`],
    ["a first line that does not end", `--- #${"-".repeat(head)}\n${keys}`],
    ["a blank of three bytes that is cut through", `${"\n".repeat(head - 1)}\u2003\n---\n${keys}`],
    [
      "a line that is cut through where it looks like the end",
      `---\n${"a".repeat(head - 8)}\n---x: 1\n${keys}`,
    ],
  ])("counts, of a file larger than is looked at, %s", (_, text) => {
    expect(declares(text)).toBe(true);
  });

  it.each([
    ["no frontmatter", `# Notes\n${filler(2 * head)}---\n${keys}`],
    ["a frontmatter of other keys", `---\ntitle: t\n---\n${filler(2 * head)}---\n${keys}`],
    [
      "a frontmatter of other keys that ends just before",
      `---\n${"a".repeat(head - 20)}\n---\n${keys}${filler(head)}`,
    ],
    ["blank lines and then text", `${"\n".repeat(head - 10)}Notes\n${filler(head)}---\n${keys}`],
  ])("finds none, in a file larger than is looked at, with %s", (_, text) => {
    expect(declares(text)).toBe(false);
  });

  it("takes bytes of no text for none", () => {
    expect(declaresSkill(new SkillFile(Uint8Array.of()))).toBe(false);
    expect(declaresSkill(new SkillFile(Uint8Array.of(0xff, 0x00, 0x2d)))).toBe(false);
  });

  it.each(["&, ", "{ ", "? ", '"\\', "&a ", "!", ",&", " \t", "name ", "--- ", "\n "])(
    "takes time in proportion, for a megabyte of %j",
    (unit) => {
      const start = performance.now();
      declares(`---\n${unit.repeat(1_000_000 / unit.length)}`);
      expect(performance.now() - start).toBeLessThan(5000);
    },
  );
});
