import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { inlineYaml } from "../../../scripts/generate/inline-yaml.ts";

describe("a value on one line", () => {
  it.each([
    ["Enforce", "Enforce"],
    [3, "3"],
    [true, "true"],
    [[], "[]"],
    [{ allow: ["MIT", "a, b"] }, '{ allow: [MIT, "a, b"] }'],
    ["2027-01-31T00:00:00Z", '"2027-01-31T00:00:00Z"'],
    ["on", '"on"'],
    ["812345678", '"812345678"'],
    ["^a\\.[b]$", "'^a\\.[b]$'"],
    ['{ "a": 1 }', `'{ "a": 1 }'`],
  ])("is YAML that reads as the same: %j", (value, text) => {
    expect(inlineYaml(value)).toBe(text);
    expect(parse(text, { version: "1.1" })).toEqual(value);
  });

  it("shows the beginning of a text of several lines", () => {
    const pem = `-----BEGIN PUBLIC KEY-----\n${"MFkw".repeat(16)}\n-----END PUBLIC KEY-----\n`;
    expect(inlineYaml(pem)).toBe("-----BEGIN PUBLIC KEY----- MFkwMFkwMFkwMFkwMFkwM…");
    expect(inlineYaml("one\ntwo\n")).toBe("one two…");
    expect(inlineYaml({ pem })).toBe("{ pem: -----BEGIN PUBLIC KEY----- MFkwMFkwMFkwMFkwMFkwM… }");
  });

  it("leaves out what there is no room for", () => {
    expect(inlineYaml([{ name: "a", of: ["x".repeat(60)] }, { name: "b" }], 40)).toBe(
      "[{ name: a, of: [xxxxxxxxxxxxxxxxxxx…] }, …]",
    );
    expect(inlineYaml({ one: "a text that is short", other: "another text" }, 24)).toBe("{ one: …, … }");
  });
});
