import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { faultsOf, itemsOf, namedTests } from "./named-tests.ts";
import { titlesOf } from "./test-titles.ts";

const page = readFileSync("docs/threat-model.md", "utf8");
const covered = itemsOf(page, "Threats that are covered");
const notCovered = itemsOf(page, "Threats that are not covered");

const read = new Map<string, ReadonlySet<string> | undefined>();

/** The titles in a file of tests, by its path from `docs`; each file is read once. */
function titlesInDocs(path: string): ReadonlySet<string> | undefined {
  const file = join("docs", path);
  if (!read.has(file)) read.set(file, existsSync(file) ? titlesOf(readFileSync(file, "utf8")) : undefined);
  return read.get(file);
}

describe("docs/threat-model.md", () => {
  it("names for each item of both lists tests that there are", () => {
    expect(covered.length).toBeGreaterThan(20);
    expect(notCovered.length).toBeGreaterThan(20);
    expect(faultsOf([...covered, ...notCovered], titlesInDocs)).toEqual([]);
  });

  it("begins each item with its attack in bold", () => {
    expect([...covered, ...notCovered].filter((item) => !/^- \*\*.+?\*\* /.test(item))).toEqual([]);
  });

  it("says of each threat that is not covered what closes it", () => {
    expect(notCovered.filter((item) => !/ Closed by: \S/.test(item))).toEqual([]);
  });

  it("has an item for each bullet, of which none is lost in another section", () => {
    const bullets = page.split("\n").filter((line) => line.startsWith("- "));
    expect(covered.length + notCovered.length).toBe(bullets.length);
  });
});

const madeUp = [
  "# Page",
  "- before any section [x](../test/a.test.ts)",
  "## One",
  "- **First.** Denied.",
  "  Shown by: [is refused: %s](../test/a.test.ts), [a \\*star\\*](../test/a.test.ts).",
  "### Part",
  "- **Second.** See [another page](x.md).",
  "",
  "Text between.",
  "## Two",
  "- **Third.** [is skipped](../test/a.test.ts), [is refused: 1](../test/a.test.ts)",
  "- **Fourth.** [is refused: %s](../test/gone.test.ts)",
].join("\n");

const testFile = `
describe("a group", () => {
  it.each([1])("is refused: %s", () => {});
  it("a *star*", () => {});
  it.skip("is skipped", () => {});
});`;

const titlesIn = (path: string): ReadonlySet<string> | undefined =>
  path === "../test/a.test.ts" ? titlesOf(testFile) : undefined;

describe("itemsOf", () => {
  it("joins the lines of an item, and ends with the section", () => {
    expect(itemsOf(madeUp, "One")).toEqual([
      "- **First.** Denied. Shown by: [is refused: %s](../test/a.test.ts), [a \\*star\\*](../test/a.test.ts).",
      "- **Second.** See [another page](x.md).",
    ]);
    expect(itemsOf(madeUp, "Two")).toHaveLength(2);
    expect(itemsOf(madeUp, "Three")).toEqual([]);
  });
});

describe("namedTests", () => {
  it("takes links to tests and no others, and titles as they are without Markdown", () => {
    expect(itemsOf(madeUp, "One").map(namedTests)).toEqual([
      [
        { title: "is refused: %s", path: "../test/a.test.ts" },
        { title: "a *star*", path: "../test/a.test.ts" },
      ],
      [],
    ]);
  });
});

describe("faultsOf", () => {
  it("finds nothing where each test is there under its title", () => {
    expect(faultsOf(itemsOf(madeUp, "One").slice(0, 1), titlesIn)).toEqual([]);
    expect(faultsOf(["- **x** [a group](../test/a.test.ts)"], titlesIn)).toEqual([]);
  });

  it("finds an item without a test, a file that is not there, and a title that no test has that runs", () => {
    expect(faultsOf(itemsOf(madeUp, "One"), titlesIn)).toEqual([
      "**Second.** See [another page](x.md).: names no test",
    ]);
    expect(faultsOf(itemsOf(madeUp, "Two"), titlesIn)).toEqual([
      expect.stringMatching(/^\*\*Third.*: \.\.\/test\/a\.test\.ts has no test "is skipped"$/),
      expect.stringMatching(/has no test "is refused: 1"$/),
      expect.stringMatching(/^\*\*Fourth.*: there is no \.\.\/test\/gone\.test\.ts$/),
    ]);
  });
});

describe("titlesOf", () => {
  it("reads titles of every form of test and group, and of templates as they stand", () => {
    const text = [
      'test("one", f);',
      "describe.skipIf(await x)('two', f);",
      "it.for([])(`three`, f);",
      "it.each<[string]>([])(`four ${kind}`, f);",
      'describe.each(all)("five $name", () => { it("six", f) });',
    ].join("\n");
    expect([...titlesOf(text)]).toEqual(["one", "two", "three", "four ${kind}", "five $name", "six"]);
  });

  it("reads none of what does not run, and of other calls, comments and texts", () => {
    const text = [
      'it.todo("one");',
      'describe.skip("two", f); it.skip.each([])("three", f); it.fails("four", f);',
      '// it("five", f)',
      'const text = "it(\\"six\\", f)";',
      'expect("seven"); vi.it("eight"); it(title, f);',
    ].join("\n");
    expect([...titlesOf(text)]).toEqual([]);
  });
});
