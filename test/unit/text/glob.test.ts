import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { globMatches } from "../../../src/text/glob.ts";

/** The obvious definition, exponential in the worst case. */
function obvious(pattern: string, text: string): boolean {
  if (pattern === "") return text === "";
  if (pattern.startsWith("*")) {
    return obvious(pattern.slice(1), text) || (text !== "" && obvious(pattern, text.slice(1)));
  }
  return text !== "" && pattern.charAt(0) === text.charAt(0) && obvious(pattern.slice(1), text.slice(1));
}

describe("globMatches", () => {
  it.each([
    ["etl", "etl"],
    ["cuopt-*", "cuopt-install"],
    ["cuopt-*", "cuopt-"],
    ["*", ""],
    ["*-*-*", "a-b-c"],
    ["a*a", "aa"],
  ])("lets %s match %s", (pattern, text) => {
    expect(globMatches(pattern, text)).toBe(true);
  });

  it.each([
    ["etl", "etl2"],
    ["etl", "ETL"],
    ["cuopt-*", "xcuopt-install"],
    ["a*a", "a"],
    ["ab*bc", "abc"],
    ["a.c", "abc"],
    ["", "a"],
  ])("does not let %s match %s", (pattern, text) => {
    expect(globMatches(pattern, text)).toBe(false);
  });

  it("agrees with the obvious definition", () => {
    const word = fc.string({ unit: fc.constantFrom("a", "b", "*"), maxLength: 8 });
    fc.assert(
      fc.property(word, word, (pattern, text) => globMatches(pattern, text) === obvious(pattern, text)),
    );
  });

  it("takes no longer for a pattern that would send a backtracking matcher astray", () => {
    expect(globMatches(`${"a*".repeat(31)}b`, "a".repeat(100_000))).toBe(false);
  });
});
