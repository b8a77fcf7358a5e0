import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { JsonError, parseStrictJson } from "../../../src/skill/json.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

describe("parseStrictJson", () => {
  it("gives what JSON.parse gives, for any JSON value without the refused key", () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 6, stringUnit: "binary" }), (value) => {
        const text = JSON.stringify(value);
        fc.pre(!text.includes("__proto__"));
        expect(parseStrictJson(text)).toEqual(JSON.parse(text));
        expect(parseStrictJson(JSON.stringify(value, undefined, 2))).toEqual(JSON.parse(text));
      }),
    );
  });

  it("refuses a repeated key wherever it stands, whatever strings stand around it", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), fc.jsonValue({ maxDepth: 2 }), (key, value) => {
        const member = `${JSON.stringify(key)} : ${JSON.stringify(value)}`;
        const text = `{"outer":[{"a\\\\":"\\"x\\":", ${member},\n${member}}]}`;
        expect(() => parseStrictJson(text)).toThrow(JsonError);
      }),
    );
  });

  it("finds the same key written in two ways", () => {
    expect(() => parseStrictJson('{"a":1,"\\u0061":2}')).toThrow("same key twice");
    expect(parseStrictJson('{"a":"\\":","b":"\\\\"}')).toEqual({ a: '":', b: "\\" });
  });

  it.each([
    ["an empty text", "", "not JSON"],
    ["text behind the value", "{} x", "not JSON"],
    ["a byte order mark", "\ufeff{}", "not JSON"],
    ["a prototype key", '{"a":{"__proto__":{}}}', "__proto__"],
    ["half a surrogate pair in a value", '["\\ud800"]', "surrogate"],
    ["half a surrogate pair in a key", '{"\\udc00":1}', "surrogate"],
    ["65 levels", `${"[".repeat(65)}${"]".repeat(65)}`, "nested deeper"],
    ["a million levels", `${"[".repeat(1_000_000)}${"]".repeat(1_000_000)}`, "nested deeper"],
  ])("refuses %s", (_, text, message) => {
    expect(() => parseStrictJson(bytes(text))).toThrow(message);
  });

  it("refuses bytes that are not UTF-8", () => {
    expect(() => parseStrictJson(new Uint8Array([0x22, 0xff, 0x22]))).toThrow("not UTF-8");
  });

  it("accepts 64 levels", () => {
    const text = `${"[".repeat(64)}${"]".repeat(64)}`;
    expect(JSON.stringify(parseStrictJson(text))).toBe(text);
  });

  it("never throws anything but a JsonError", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: "binary" }), fc.uint8Array()), (input) => {
        try {
          parseStrictJson(input);
        } catch (error) {
          expect(error).toBeInstanceOf(JsonError);
        }
      }),
    );
  });
});
