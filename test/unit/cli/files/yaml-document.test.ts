import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";

import { yamlDocument } from "../../../../src/cli/files/yaml-document.ts";
import { runs } from "../../../fixtures/property-runs.ts";

const text = fc.oneof(
  fc.string({ unit: "binary" }).map((value) => value.toWellFormed()),
  fc
    .array(
      fc.constantFrom(
        "a",
        " ",
        "\n",
        "  ",
        "- ",
        "#",
        ":",
        "\t",
        "\r",
        "é",
        "'",
        '"',
        "|",
        "\\",
        "---",
        "on",
      ),
    )
    .map((parts) => parts.join("")),
);

describe("yamlDocument", () => {
  it.each(["1.1", "1.2"] as const)("means the same data to a YAML %s reader", (version) => {
    const { tree } = fc.letrec((tie) => ({
      tree: fc.oneof(
        { maxDepth: 4 },
        text,
        fc.integer(),
        fc.boolean(),
        fc.array(tie("tree"), { maxLength: 4 }),
        fc.dictionary(text, tie("tree"), { maxKeys: 4, noNullPrototype: true }),
      ),
    }));
    fc.assert(
      fc.property(fc.dictionary(text, tree, { minKeys: 1, noNullPrototype: true }), (value) => {
        fc.pre(!JSON.stringify(value).includes('"__proto__":'));
        expect(parse(yamlDocument(value), { version, merge: false })).toEqual(value);
      }),
      runs(500),
    );
  });

  it("keeps texts legible, and their leading blanks and last line", () => {
    expect(yamlDocument({ data: { "a.md": "  one\n\ntwo\n", b: "x\ny" } })).toBe(
      "data:\n  a.md: |2\n      one\n\n    two\n  b: |2-\n    x\n    y\n",
    );
  });

  it.each(["yes", "1", "", "a: b", "2026-01-01", "-", "~"])(
    "quotes %j, which could be read as something else",
    (word) => {
      expect(yamlDocument({ k: word })).toBe(`k: ${JSON.stringify(word)}\n`);
    },
  );

  it("finishes at once on a megabyte of line breaks or blanks", () => {
    for (const part of ["\n", " ", "\n ", "a\n"]) yamlDocument({ k: `${part.repeat(1_000_000)}x` });
  });
});
