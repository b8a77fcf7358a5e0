import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { printable } from "../../../src/text/printable.ts";
import { shortWords, withoutMiddle } from "../../../src/text/short-words.ts";

const name = `${"a".repeat(120)}-end`;

describe("shortWords", () => {
  it("leaves alone what fits", () => {
    expect(shortWords("ConfigMap skills-etl does not exist", 100)).toBe(
      "ConfigMap skills-etl does not exist",
    );
  });

  it("takes the middle out of the longest words, and keeps what is said of them", () => {
    const text = `skill ${name}: SOURCE_UNVERIFIABLE /opt/${name}/SKILL.md comes from the claim x`;
    const short = shortWords(text, 110);
    expect(short).toMatch(
      /^skill a+…a+-end: SOURCE_UNVERIFIABLE \/opt\/a+…a+-end\/SKILL.md comes from the claim x$/,
    );
    expect(short.length).toBe(110);
  });

  it("leaves no word under 20 characters, and cuts the end where that is not enough", () => {
    const short = shortWords(`${name} ${"word ".repeat(30)}${name}`, 80);
    expect(short.split(" ")[0]).toHaveLength(20);
    expect(short).toMatch(/word…?$|…$/);
    expect(short.length).toBe(80);
  });

  it("shows hostile characters by their number, and never more than it may", () => {
    expect(shortWords("a\u202eb", 100)).toBe("a\\u202eb");
    fc.assert(
      fc.property(
        fc.string({ unit: "binary", maxLength: 600 }),
        fc.integer({ min: 30, max: 400 }),
        (text, limit) => {
          const short = shortWords(text, limit);
          expect(short.length).toBeLessThanOrEqual(limit);
          expect(short.isWellFormed()).toBe(true);
          expect(printable(short, limit)).toBe(short);
        },
      ),
    );
  });
});

describe("withoutMiddle", () => {
  it.each([
    ["/opt/agents/skills/etl", 30, "/opt/agents/skills/etl"],
    ["/opt/agents/skills/etl", 11, "/opt/…s/etl"],
    ["/opt/agents/skills/etl", 10, "/opt/…/etl"],
  ])("of %s in %d characters is %s", (text, limit, expected) => {
    expect(withoutMiddle(text, limit)).toBe(expected);
  });
});
