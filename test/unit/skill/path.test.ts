import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { skillLimits } from "../../../src/skill/limits.ts";
import { assertNoCollisions, pathFault } from "../../../src/skill/path.ts";

describe("pathFault", () => {
  it.each([
    "SKILL.md",
    "a/b/c.txt",
    ".hidden",
    "with space",
    "é/ü.md",
    "a..b",
    "..data-like/x",
    "日本.md",
    "-_/a.b-c",
  ])("accepts %j", (path) => {
    expect(pathFault(path)).toBeUndefined();
  });

  it.each([
    ["", "empty"],
    ["/etc/passwd", "absolute"],
    ["../x", '".."'],
    ["a/../b", '".."'],
    ["a/./b", '"."'],
    ["a//b", "empty component"],
    ["a/", "empty component"],
    ["a\u0000b", "control"],
    ["a\nb", "control"],
    ["\ud800", "Unicode"],
    ["x".repeat(skillLimits.pathBytes + 1), "longer"],
    ["a/".repeat(skillLimits.depth) + "b", "deeper"],
    ["a.b/./c", '"."'],
    ["-/..", '".."'],
    ["a\n", "control"],
  ])("refuses %j", (path, reason) => {
    expect(pathFault(path)).toContain(reason);
  });

  it("accepts exactly the depth that is allowed", () => {
    expect(pathFault("a/".repeat(skillLimits.depth - 1) + "b")).toBeUndefined();
  });

  it("accepts no path that leaves its folder", () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom("..", ".", "a", "", "b")), (components) => {
        const path = components.join("/");
        if (pathFault(path) !== undefined) return;
        expect(new URL(path, "file:///root/skill/").pathname).toBe(`/root/skill/${path}`);
      }),
    );
  });
});

describe("assertNoCollisions", () => {
  it.each([
    ["letter case", ["README.md", "readme.md"]],
    ["composed and decomposed letters", ["\u00e9.md", "e\u0301.md"]],
    ["compatibility forms", ["\ufb01le", "file"]],
  ])("refuses names that differ in %s only", (_, names) => {
    expect(() => assertNoCollisions(names)).toThrow("differ only in");
  });

  it("accepts names that differ in more", () => {
    expect(() => assertNoCollisions(["a/README.md", "b/README.md", "README.txt"])).not.toThrow();
  });
});
