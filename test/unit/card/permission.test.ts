import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { flattenPermissions, permissionDenied, splitPermissions } from "../../../src/card/permission.ts";
import { runs } from "../../fixtures/property-runs.ts";

describe("splitPermissions", () => {
  it.each([
    ["Bash(git:*) Read", ["Bash(git:*)", "Read"]],
    ["Bash(docker ps *), Read,Write", ["Bash(docker ps *)", "Read", "Write"]],
    ["Bash(a (b c) d) Read", ["Bash(a (b c) d)", "Read"]],
    ["Bash(never closed, Read", ["Bash(never closed, Read"]],
    ["a) b", ["a)", "b"]],
    ["  ,, ", []],
    ["", []],
  ])("splits %j", (text, tokens) => {
    expect(splitPermissions(text)).toEqual(tokens);
  });

  it("loses no character but separators", () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom("a", "(", ")", " ", ",", "*") }), (text) => {
        expect(splitPermissions(text).join("").replace(/[\s,]/g, "")).toBe(text.replace(/[\s,]/g, ""));
      }),
    );
  });
});

describe("flattenPermissions", () => {
  it.each([
    ["Read Write", ["Read", "Write"]],
    [
      ["Read", "Bash(git *), Write"],
      ["Read", "Bash(git *)", "Write"],
    ],
    [
      { network: "egress", shell: "true", env: ["HOME", "PATH"] },
      ["network:egress", "shell", "env:HOME", "env:PATH"],
    ],
    [
      { network: { egress: "a.example b.example" } },
      ["network:egress:a.example", "network:egress:b.example"],
    ],
    [{ network: "none", shell: "false", camera: "No", audio: "off" }, []],
    [{ network: "", shell: null, disk: true, tape: false }, ["network", "shell", "disk"]],
    [[], []],
    [null, []],
  ])("flattens %j", (value, claims) => {
    expect(flattenPermissions(value)).toEqual(claims);
  });
});

describe("permissionDenied", () => {
  it.each([
    ["Bash(git:*)", "Bash(*)"],
    ["Bash(rm -rf /)", "Bash(*)"],
    ["Bash", "Bash(*)"],
    ["Bash", "Bash(rm:*)"],
    ["Bash(*)", "Bash(rm:*)"],
    ["Bash()", "Bash(*)"],
    ["Bash(git:*)", "Bash"],
    ["Bash(git:*)", "Bash(git:*)"],
    ["Bash(git push origin)", "Bash(git:*)"],
    ["Bash(git:*)", "Bash(git push:*)"],
    ["Bash(docker ps *)", "Bash(docker *)"],
    ["Bash(* --force)", "Bash(git push*)"],
    ["*", "Bash(rm:*)"],
    ["bash(rm x)", "Bash(rm:*)"],
    ["Ｂash(rm x)", "Bash(rm:*)"],
    [" Bash (rm x)", "Bash(rm:*)"],
    ["Bash(rm", "Bash(git:*)"],
    ["network:egress", "network:egress"],
    ["network", "network:egress"],
    ["network:*", "network:egress"],
    ["network:egress:example.com", "network:egress"],
    ["network:egress", "network:*"],
    ["mcp__github__push", "mcp__*"],
    ["Read", "*"],
    [`Bash(${"x".repeat(600)})`, "Bash(git:*)"],
  ])("hits %s by %s", (permission, pattern) => {
    expect(permissionDenied(permission, pattern)).toBe(true);
  });

  it.each([
    ["Read", "Bash(*)"],
    ["BashOutput", "Bash(*)"],
    ["Bash(ls)", "Bash(git:*)"],
    ["Bash(git:*)", "Bash(rm:*)"],
    ["Bash(docker ps *)", "Bash(docker run*)"],
    ["Bash(git status)", "Bash(git * --force)"],
    ["Bash(ab)", "Bash(ab*b)"],
    ["Bash(a*b)", "Bash(*c)"],
    ["network:ingress", "network:egress"],
    ["filesystem:read", "network:*"],
    ["Read", "R.ad"],
    ["", "Bash"],
    [`Read(${"x".repeat(600)})`, "Bash(git:*)"],
  ])("leaves %s alone for %s", (permission, pattern) => {
    expect(permissionDenied(permission, pattern)).toBe(false);
  });

  it("agrees, for literal texts, with the pattern as a regular expression", () => {
    const literal = fc.string({ unit: fc.constantFrom("a", "b"), maxLength: 8 });
    const glob = fc.string({ unit: fc.constantFrom("a", "b", "*"), maxLength: 8 });
    fc.assert(
      fc.property(literal, glob, (text, pattern) => {
        const expected = new RegExp(`^${pattern.replaceAll("*", ".*")}$`).test(text);
        expect(permissionDenied(`T(${text})`, `T(${pattern})`)).toBe(expected);
        expect(permissionDenied(`T(${pattern})`, `T(${text})`)).toBe(expected);
      }),
      runs(2_000),
    );
  });

  it("hits whenever one text is within both patterns", () => {
    const piece = fc.string({ unit: fc.constantFrom("a", "b", "*"), maxLength: 6 });
    const fill = fc.string({ unit: fc.constantFrom("a", "b"), maxLength: 4 });
    const words = fc.array(fc.constantFrom("", "a", "b", "ab", "ba", "aab"), { maxLength: 3 });
    fc.assert(
      fc.property(piece, piece, fill, words, (left, right, filler, more) => {
        const texts = [left, right, left + right].map((each) => each.replaceAll("*", filler)).concat(more);
        const within = (text: string) =>
          [left, right].every((glob) => new RegExp(`^${glob.replaceAll("*", ".*")}$`).test(text));
        if (texts.some(within)) expect(permissionDenied(`T(${left})`, `T(${right})`)).toBe(true);
      }),
      runs(2_000),
    );
  });

  it("takes no notice of patterns made to be slow", () => {
    const stars = "*a".repeat(20_000);
    permissionDenied(`Bash(${"a".repeat(500)}b)`, `Bash(${stars}c)`);
    permissionDenied(`Bash(${"*a".repeat(250)})`, `Bash(${stars})`);
    for (let index = 0; index < 1_000; index += 1)
      permissionDenied(`Bash(${"a".repeat(500)})`, "Bash(*a*a*a*a*a*a*a*b)");
  });
});
