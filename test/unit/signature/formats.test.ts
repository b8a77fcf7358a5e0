import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { formatOf, formats } from "../../../src/signature/formats.ts";
import { folderFormats, signingFormats } from "../../../src/signature/signature-evidence.ts";
import { skillOf } from "../../fixtures/signed-skill.ts";

const cellsOf = (row: string): readonly string[] => row.split("|").map((cell) => cell.trim());
const codesIn = (text: string): readonly string[] =>
  [...text.matchAll(/`([^`]+)`/g)].map(([, code = ""]) => code);

/** The rows of the tables below a heading of a page. */
function tablesBelow(page: string, heading: string): readonly (readonly (readonly string[])[])[] {
  const text = readFileSync(page, "utf8");
  const [, after = ""] = text.split(`## ${heading}\n`);
  const tables = after.matchAll(/^\|.*\n\| -.*\n((?:\|.*\n)+)/gm);
  return [...tables].map(([, rows = ""]) => rows.trimEnd().split("\n").map(cellsOf));
}

describe("formats", () => {
  it("are all, each under its name, in the order in which they are looked for", () => {
    expect(formats.map(({ name }) => name)).toEqual(folderFormats);
    for (const format of formats) expect(formatOf[format.name]).toBe(format);
  });

  it("are in no skill that is not signed", () => {
    const skill = skillOf("demo", { "SKILL.md": "# demo\n", "CARD.md": "# Read me\n" });
    expect(formats.filter(({ isIn }) => isIn(skill))).toEqual([]);
  });

  it("share no file", () => {
    const files = formats.flatMap(({ proved, unsigned }) => [...proved, ...unsigned]);
    expect(new Set(files).size).toBe(files.length);
  });

  it.each(formats)("$name is known by one of its own files", ({ file, proved, unsigned }) => {
    expect([...proved, ...unsigned]).toContain(file);
  });

  it("sign by one kind of key each, so that a key tells the format", () => {
    const kinds = signingFormats.map((name) => formatOf[name].signing.keyType);
    expect(new Set(kinds).size).toBe(kinds.length);
  });
});

describe("the pages", () => {
  it("name every format with its files, and no other, where several formats go together", () => {
    const [rows = []] = tablesBelow("docs/formats/several.md", "Compatible formats and signing order");
    expect(rows.map(([, name = ""]) => codesIn(name))).toEqual(formats.map(({ name }) => [name]));
    for (const [at, [, , files = ""]] of rows.entries()) {
      const { file, proved, unsigned } = formats[at]!;
      // A registry's analysis is not signed and has its own page.
      const own = new Set([file, ...proved, ...unsigned].filter((path) => path !== "vett.analysis.json"));
      expect(codesIn(files).toSorted()).toEqual([...own].sort());
    }
  });

  it("name every order of two formats, and room for each beside OMS", () => {
    const [, rows = []] = tablesBelow("docs/formats/several.md", "Compatible formats and signing order");
    const named = rows.flatMap(([, first = "", second = ""]) => {
      const [one = "", other = ""] = codesIn(first);
      if (second === "the other") return [`${one}, ${other}`, `${other}, ${one}`];
      return [`${one}, ${codesIn(second).join()}`];
    });
    const orders = folderFormats.flatMap((first) =>
      folderFormats.filter((second) => second !== first).map((second) => `${first}, ${second}`),
    );
    const others = folderFormats.filter((name) => formatOf[name] !== formatOf.oms);
    const room = others.map((name) => `oms --beside ${name}, ${name}`);
    expect(named.sort()).toEqual([...orders, ...room].sort());
  });

  it.each(["docs/cli.md", "docs/formats/oms.md"])("%s names all that --beside takes", (page) => {
    const [first = "", ...others] = folderFormats.filter((name) => formatOf[name] !== formatOf.oms);
    const text = readFileSync(page, "utf8").replaceAll("\n", " ");
    expect(text).toContain(`--beside ${first}\` (or ${others.map((name) => `\`${name}\``).join(", ")})`);
  });
});
