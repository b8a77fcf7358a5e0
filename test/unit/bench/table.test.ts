import { describe, expect, it } from "vitest";
import {
  figure,
  layOut,
  mebibytes,
  record,
  sectionMarkdown,
  toMarkdown,
  type Section,
} from "../../bench/table.ts";

const section: Section = {
  id: "memory",
  aims: [
    { figure: "start", measured: "1.20 ms", aim: "≤ 2 ms", met: true },
    { figure: "end", measured: "3.00 ms", aim: "≤ 2 ms", met: false },
  ],
  tables: [{ columns: ["What", "Time"], rows: [["a|b", "1"]] }],
  notes: ["A note."],
};

describe("toMarkdown", () => {
  it("keeps a bar inside a cell", () => {
    expect(toMarkdown(section.tables[0]!)).toBe("| What | Time |\n| :--- | ---: |\n| a\\|b | 1 |");
  });
});

describe("sectionMarkdown", () => {
  it("puts aims first and says which are not met", () => {
    const text = sectionMarkdown(section);
    expect(text.indexOf("| start | 1.20 ms | ≤ 2 ms | yes |")).toBeGreaterThan(0);
    expect(text.indexOf("| end | 3.00 ms | ≤ 2 ms | **no** |")).toBeLessThan(text.indexOf("What"));
    expect(text.endsWith("- A note.")).toBe(true);
  });
});

describe("record", () => {
  const document =
    "# Prose\n\n<!-- bench:memory -->\nold\n<!-- /bench:memory -->\n\nMore prose.\n\n<!-- bench:reviews -->\nkept\n<!-- /bench:reviews -->\n";

  it("replaces one section's figures and nothing else", () => {
    const recorded = record(document, section);
    expect(recorded).not.toContain("old");
    expect(recorded).toContain("- A note.");
    expect(recorded.replace(/<!-- bench:memory -->[^]*<!-- \/bench:memory -->/, "")).toBe(
      document.replace(/<!-- bench:memory -->[^]*<!-- \/bench:memory -->/, ""),
    );
  });

  it("gives the same document when it is recorded twice", async () => {
    const once = await layOut(record(document, section));
    expect(await layOut(record(once, section))).toBe(once);
  });

  it("names the marks that a document lacks", () => {
    expect(() => record(document, { ...section, id: "api-server" })).toThrow("<!-- bench:api-server -->");
  });
});

describe("figure", () => {
  it.each([
    [0.12345, "0.123"],
    [1.2345, "1.23"],
    [12.345, "12.3"],
    [123.45, "123"],
    [12345.6, "12,346"],
    [Number.NaN, "–"],
  ])("writes %d as %s", (value, text) => {
    expect(figure(value)).toBe(text);
  });
});

describe("mebibytes", () => {
  it("writes small amounts exactly", () => {
    expect(mebibytes(1.5 * 2 ** 20)).toBe("1.50 MiB");
    expect(mebibytes(200 * 2 ** 20)).toBe("200 MiB");
    expect(mebibytes(Number.NaN)).toBe("–");
  });
});
