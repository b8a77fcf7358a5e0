import { existsSync, globSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { describe, expect, it } from "vitest";
import { anchorsOf, relativeLinksOf } from "./markdown.ts";

const docs = globSync("docs/**/*.md");
const pages = [
  ...globSync("*.md"),
  ...docs,
  ...globSync(["test/**/README.md", "charts/**/README.md", "examples/**/README.md"]),
];

/** Links of a page that lead nowhere. */
function brokenLinks(page: string, text: string): readonly string[] {
  return relativeLinksOf(text).filter((link) => {
    const [path = "", anchor] = link.split("#");
    const target = path === "" ? page : normalize(join(dirname(page), path));
    if (!existsSync(target)) return true;
    return anchor !== undefined && !anchorsOf(readFileSync(target, "utf8")).has(anchor);
  });
}

describe("links between pages", () => {
  it.each(pages)("resolve in %s", (page) => {
    expect(brokenLinks(page, readFileSync(page, "utf8"))).toEqual([]);
  });

  it("are found broken where page or heading is missing, and only outside code", () => {
    const text = [
      "[no page](nowhere.md), [no heading](SECURITY.md#nowhere), [not here](#nowhere)",
      "[page](SECURITY.md), [heading](#the-heading), [elsewhere](https://skill-admission.dev/x)",
      "`[code](nowhere.md)`",
      "```md",
      "[block](nowhere.md)",
      "```",
    ].join("\n");
    expect(brokenLinks("README.md", text)).toEqual([
      "nowhere.md",
      "SECURITY.md#nowhere",
      "#nowhere",
      "#the-heading",
    ]);
  });
});

describe("anchorsOf", () => {
  it("makes anchors as GitHub does, of headings outside code blocks", () => {
    const page =
      "# The `serve` flag: a_b\n## A — b\n## Twice\n## Twice\n```sh\n# none\n```\n### [A link](x.md), (too)";
    expect([...anchorsOf(page)]).toEqual(["the-serve-flag-a_b", "a--b", "twice", "twice-1", "a-link-too"]);
  });
});

describe("docs/README.md", () => {
  it("leads to every page of docs", () => {
    const linked = relativeLinksOf(readFileSync("docs/README.md", "utf8")).map((link) => join("docs", link));
    expect(docs.filter((page) => page !== "docs/README.md" && !linked.includes(page))).toEqual([]);
  });
});
