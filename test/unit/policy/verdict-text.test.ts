import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fitting } from "../../../src/policy/verdict-text.ts";

describe("fitting", () => {
  it("leaves out the last lines, and counts them", () => {
    const lines = ["what happened", "x".repeat(50), "y".repeat(50)];
    expect(fitting(lines, "what to do", 2_000)).toBe([...lines, "what to do"].join("\n"));
    expect(fitting(lines, "what to do", 130)).toBe(
      ["what happened", "x".repeat(50), "and 1 more lines; the log has up to 50 findings", "what to do"].join(
        "\n",
      ),
    );
  });

  it("shortens the first line where it does not fit, and never leaves it out", () => {
    const first = `policy "${"p".repeat(150)}" denied Pod ${"n".repeat(150)}: FILE_UNSIGNED ${"ü".repeat(100)}`;
    const text = fitting([first, "more ".repeat(20)], "last", 200);
    expect(Buffer.byteLength(text)).toBeLessThanOrEqual(200);
    expect(text).toMatch(
      /^policy "p+…p+" denied Pod n+…n+: FILE_UNSIGNED ü+…ü+\nand 1 more lines; the log has up to 50 findings\nlast$/,
    );
  });

  it("keeps to the limit, whatever the lines are, as long as the last one does", () => {
    const line = fc.string({ unit: "binary", maxLength: 400 }).map((text) => text.replaceAll("\n", ""));
    fc.assert(
      fc.property(
        fc.array(line, { maxLength: 5 }),
        line,
        fc.integer({ min: 80, max: 900 }),
        (lines, last, limit) => {
          fc.pre(Buffer.byteLength(last) + 60 <= limit);
          expect(Buffer.byteLength(fitting(lines, last, limit))).toBeLessThanOrEqual(limit);
        },
      ),
    );
  });
});
