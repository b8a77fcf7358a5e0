import fc from "fast-check";
import { describe, expect, it } from "vitest";

import type { ReportedFinding } from "../../../../src/cli/report/report-item.ts";
import { tableReporter, wrapped } from "../../../../src/cli/report/table.ts";
import { failing, finding, layout, passing, sink } from "./items.ts";

const render = (
  items: readonly (typeof passing)[],
  over: { width?: number; colour?: boolean; titleWidth?: number } = {},
) => {
  const out = sink();
  const reporter = tableReporter(
    { write: out.write, width: over.width ?? 80, colour: over.colour ?? false },
    { ...layout, titleWidth: over.titleWidth ?? layout.titleWidth },
  );
  for (const item of items) reporter.item(item);
  reporter.end();
  return out.text();
};

describe("tableReporter", () => {
  it("writes a row an item, what is wrong below it, and the sum at the end", () => {
    expect(render([passing, failing])).toBe(
      [
        "SKILL   RESULT  INTEGRITY   AUTHORSHIP  SIGNER",
        "demo    pass    STRONG      STRONG      Acme Signing 001",
        "broken  FAIL    ABSENT      STRONG      Acme Signing 001",
        "  DIGEST_MISMATCH scripts/run.sh: signed 33333333…, found 99999999…",
        "  FILE_UNSIGNED   extra.py",
        "  fix: mount the published files again",
        "2 skills: 1 passed, 1 failed",
        "",
      ].join("\n"),
    );
  });

  it("writes each row as it comes, not at the end", () => {
    const out = sink();
    tableReporter({ write: out.write, width: 80, colour: false }, layout).item(passing);
    expect(out.text()).toContain("demo    pass");
  });

  it("never breaks an 80-column terminal, except where one word is longer", () => {
    const word = fc.string({ unit: "grapheme-ascii", maxLength: 30 });
    fc.assert(
      fc.property(
        fc.string(),
        fc.array(fc.string(), { maxLength: 3 }),
        fc.array(word),
        (title, columns, words) => {
          const message = words.join(" ");
          const bare: ReportedFinding = {
            code: "CARD_INCOMPLETE",
            message,
            tolerated: false,
            location: "card.md",
          };
          const item = { ...failing, title, columns, findings: [bare] };
          for (const line of render([item]).split("\n")) {
            expect(line.length).toBeLessThanOrEqual(80);
          }
        },
      ),
    );
  });

  it("keeps a name that is too long whole, on a line of its own", () => {
    const title = "physical-ai-infrastructure-setup-and-resilient-scaling";
    expect(render([{ ...passing, title }], { titleWidth: title.length })).toContain(`\n${title}\n`);
  });

  it("does not let a name forge another row or colour", () => {
    const text = render([{ ...passing, title: "a\nevil  pass\u001b[32m\u202e" }]);
    expect(text).not.toMatch(/^evil/m);
    expect(text).not.toContain("\u001b");
    expect(text).not.toContain("\u202e");
  });

  it("uses colour only where it is wanted", () => {
    expect(render([failing], { colour: true })).toContain("\u001b[31m");
    expect(render([failing])).not.toContain("\u001b");
  });

  it("says what is tolerated, which policy asks, and how much is left out", () => {
    const many = Array.from({ length: 30 }, (_, index) =>
      finding({ path: `f${index}`, policy: "payments", tolerated: true }),
    );
    const text = render([{ ...failing, outcome: "warn", findings: many }]);
    expect(text).toContain("payments: DIGEST_MISMATCH f0");
    expect(text).toContain("(tolerated)");
    expect(text).toContain("and 10 more");
    expect(text).toContain("1 skill: 0 passed, 1 passed with a warning");
  });

  it("counts what was not judged", () => {
    expect(render([{ ...passing, outcome: "unevaluated" }])).toContain("1 skill: 0 passed, 1 not judged");
    expect(render([])).toContain("0 skills: 0 passed");
  });
});

describe("wrapped", () => {
  it("keeps every word, in order", () => {
    fc.assert(
      fc.property(fc.array(fc.stringMatching(/^[a-z]{1,12}$/), { minLength: 1 }), (words) => {
        const lines = wrapped(words.join(" "), 20, 4);
        expect(lines.join(" ").split(/ +/)).toEqual(words);
        for (const line of lines) expect(line.length).toBeLessThanOrEqual(20);
      }),
    );
  });
});
