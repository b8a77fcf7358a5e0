import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { hasHostile, isOneLine, printable, quoted } from "../../../src/text/printable.ts";

describe("printable", () => {
  it("leaves ordinary text alone", () => {
    expect(printable("ConfigMap skills-etl at /skills/données")).toBe(
      "ConfigMap skills-etl at /skills/données",
    );
  });

  it("shows characters that could forge a line, a colour or the reading direction", () => {
    expect(printable("a\nb\u001b[31m\u202etxt.exe\u200b")).toBe("a\\u000ab\\u001b[31m\\u202etxt.exe\\u200b");
  });

  it("shows text that people do not see and models read", () => {
    expect(printable("ok\u{e0041}\u{e007f}\u00ad\ufff9\u3164")).toBe(
      "ok\\u{e0041}\\u{e007f}\\u00ad\\ufff9\\u3164",
    );
  });

  it("gives one bounded, well-formed line for any text", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), fc.integer({ min: 1, max: 50 }), (text, limit) => {
        const shown = printable(text, limit);
        expect(shown.length).toBeLessThanOrEqual(limit);
        expect(shown.isWellFormed()).toBe(true);
        expect(shown).not.toMatch(/[\u0000-\u001f\u2028\u2029\u202a-\u202e]/);
      }),
    );
  });
});

describe("quoted", () => {
  it("leaves nothing that hides, forges a line or turns the direction in the text", () => {
    const text = 'a"b\n\u001b\u009b\u00ad\u200b\u202e\u2066\ufeff\u3164\u{e0041}';
    expect(quoted(text)).toMatch(/^"[\x20-\x7e]*"$/);
    expect(JSON.parse(quoted(text))).toBe(text);
  });

  it("cuts, and says so", () => {
    expect(quoted("x".repeat(100))).toBe(`"${"x".repeat(100)}"`);
    expect(quoted("x".repeat(101))).toBe(`"${"x".repeat(99)}…"`);
  });
});

describe("hasHostile", () => {
  it.each(["me@example.com", "Zoë", "日本", ""])("sees none in %j, again and again", (text) => {
    expect([hasHostile(text), hasHostile(text)]).toEqual([false, false]);
  });

  it.each(["\n", "\u001b", "\u00ad", "\u200b", "\u202e", "\u2066", "\u2028", "\u3164", "\u{e0041}"])(
    "sees %j, wherever it stands and however often it is asked",
    (character) => {
      for (const text of [character, `${character}a`, `a${character}`, `a${character}b`])
        expect([hasHostile(text), hasHostile(text)]).toEqual([true, true]);
    },
  );
});

describe("isOneLine", () => {
  it("takes what joins letters and emoji", () => {
    expect(isOneLine("👩\u200d💻 می\u200cخواهم")).toBe(true);
  });

  it.each(["\n", "\r", "\u0085", "\u2028", "\u2029", "\u0000", "\t"])("does not take %j", (character) => {
    expect(isOneLine(`a${character}b`)).toBe(false);
  });
});
