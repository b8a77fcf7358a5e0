import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { printable } from "../../../src/text/printable.ts";

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
