import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SignatureError } from "../../../../../src/signature/signature-error.ts";
import { identityPattern } from "../../../../../src/signature/sigstore/identity/pattern.ts";

const release = "^https://github\\.com/acme/skills/\\.github/workflows/release\\.yml@refs/tags/v[0-9.]+$";

describe("identityPattern", () => {
  it.each([
    ["https://github.com/acme/skills/.github/workflows/release.yml@refs/tags/v1.2.0", true],
    ["https://github.com/acme/skills/.github/workflows/release.yml@refs/tags/v1.2.0/x", false],
    ["https://github.com/acme/skills/.github/workflows/release.yml@refs/heads/main", false],
    ["https://githubXcom/acme/skills/.github/workflows/release.yml@refs/tags/v1.2.0", false],
    ["xhttps://github.com/acme/skills/.github/workflows/release.yml@refs/tags/v1.2.0", false],
  ])("matches a release's workflow by its whole name: %s is %s", (identity, matches) => {
    expect(identityPattern(release)(identity)).toBe(matches);
  });

  it("is about the whole identity also where an alternative is not anchored", () => {
    const matches = identityPattern("^a@example\\.com|b@example\\.com$");
    expect(matches("b@example.com")).toBe(true);
    expect(matches("evil-b@example.com")).toBe(false);
    expect(matches("a@example.com.evil.test")).toBe(false);
  });

  it("does not end at a line's end", () => {
    expect(identityPattern("^a$")("a\nb")).toBe(false);
    expect(identityPattern("^(?m)a$")("a\nb")).toBe(false);
    expect(identityPattern("^a$")("a\n")).toBe(false);
  });

  it.each([
    ["a", "must begin"],
    ["^a", "must begin"],
    ["a$", "must begin"],
    ["^a\\$", "must begin"],
    ["^(a$", "cannot be read"],
    ["^(?=a)a$", "cannot be read"],
    ["^(a)\\1$", "cannot be read"],
    ["^((a{50}){50}){50}$", "more than 100 times"],
    [`^${"a".repeat(600)}$`, "longer than"],
  ])("refuses %s", (pattern, detail) => {
    expect(() => identityPattern(pattern)).toThrow(SignatureError);
    expect(() => identityPattern(pattern)).toThrow(detail);
  });

  it("takes linear time for patterns that make others backtrack", () => {
    const identity = `${"a".repeat(10_000)}!`;
    const started = performance.now();
    expect(identityPattern("^(a+)+$")(identity)).toBe(false);
    expect(identityPattern("^(a|aa)+$")(identity)).toBe(false);
    expect(identityPattern("^(.*)*x$")(identity)).toBe(false);
    expect(performance.now() - started).toBeLessThan(5_000);
  });

  it("throws nothing but SignatureError", () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 40 }), fc.string(), (inner, identity) => {
        try {
          expect(typeof identityPattern(`^${inner}$`)(identity)).toBe("boolean");
        } catch (error) {
          expect(error).toBeInstanceOf(SignatureError);
        }
      }),
    );
  });
});
