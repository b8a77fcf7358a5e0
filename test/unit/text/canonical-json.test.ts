import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { canonicalJson } from "../../../src/text/canonical-json.ts";
import { parseStrictJson } from "../../../src/text/json.ts";

const text = fc.string({ unit: "binary", maxLength: 30 });

describe("canonicalJson", () => {
  // The right-hand sides are what Python 3 printed.
  it.each([
    ["", '""'],
    ["a/b c~", '"a/b c~"'],
    ['"\\', '"\\"\\\\"'],
    ["\b\t\n\f\r", '"\\b\\t\\n\\f\\r"'],
    ["\u0000\u000b\u001f", '"\\u0000\\u000b\\u001f"'],
    ["\u007f\u0080", '"\\u007f\\u0080"'],
    ["é\u2028\uffff", '"\\u00e9\\u2028\\uffff"'],
    ["\u{1f600}", '"\\ud83d\\ude00"'],
  ])("writes %j as Python does", (value, expected) => {
    expect(canonicalJson(value)).toBe(expected);
  });

  it("sorts keys by code points, not by UTF-16, and numbers like words", () => {
    const keys = ["\u{1f600}", "\uffee", "b", "10", "9", "B", "__proto__", ""];
    expect(canonicalJson(new Map(keys.map((key) => [key, "x"])))).toBe(
      '{"":"x","10":"x","9":"x","B":"x","__proto__":"x","b":"x","\\uffee":"x","\\ud83d\\ude00":"x"}',
    );
  });

  it("writes maps inside maps, and empty ones, without blanks", () => {
    const files = new Map([["b", "1"]]);
    expect(
      canonicalJson(
        new Map<string, string | ReadonlyMap<string, string>>([
          ["f", files],
          ["e", new Map()],
        ]),
      ),
    ).toBe('{"e":{},"f":{"b":"1"}}');
  });

  it("is read back as what was written, in ASCII, whatever the order of the members", () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.tuple(text, text), { selector: ([key]) => key }), (members) => {
        fc.pre(members.every(([key]) => key !== "__proto__"));
        const written = canonicalJson(new Map(members));
        expect(written).toMatch(/^[ -~]*$/);
        expect(parseStrictJson(written)).toEqual(Object.fromEntries(members));
        expect(canonicalJson(new Map(members.toReversed()))).toBe(written);
      }),
    );
  });
});
