import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { hasMoreValues, JsonError, parseStrictJson } from "../../../src/text/json.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

describe("parseStrictJson", () => {
  it("gives what JSON.parse gives, for any JSON value without the refused keys", () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 6, stringUnit: "binary" }), (value) => {
        const text = JSON.stringify(value);
        fc.pre(!text.includes("__proto__") && !text.includes('\\\\":'));
        expect(parseStrictJson(text)).toEqual(JSON.parse(text));
        expect(parseStrictJson(JSON.stringify(value, undefined, 2))).toEqual(JSON.parse(text));
      }),
    );
  });

  it("refuses a repeated key wherever it stands, whatever strings stand around it", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), fc.jsonValue({ maxDepth: 2 }), (key, value) => {
        const member = `${JSON.stringify(key)} : ${JSON.stringify(value)}`;
        const text = `{"outer":[{"a\\\\b":"\\"x\\":", ${member},\n${member}}]}`;
        expect(() => parseStrictJson(text)).toThrow(JsonError);
      }),
    );
  });

  it("finds the same key written in two ways", () => {
    expect(() => parseStrictJson('{"a":1,"\\u0061":2}')).toThrow(
      "ambiguous: an object has the same key twice",
    );
    expect(parseStrictJson('{"a":"\\":","b":"\\\\"}')).toEqual({ a: '":', b: "\\" });
  });

  it.each([
    ["an empty text", "", "not JSON"],
    ["text behind the value", "{} x", "not JSON"],
    ["a byte order mark", "\ufeff{}", "not JSON: it begins with a byte order mark"],
    ["a number too large for a double", '{"a":[-1e999]}', "a number is too large"],
    ["a prototype key", '{"a":{"__proto__":{}}}', "__proto__"],
    ["half a surrogate pair in a value", '["\\ud800"]', "surrogate"],
    ["half a surrogate pair in a key", '{"\\udc00":1}', "surrogate"],
    ["65 levels", `${"[".repeat(65)}${"]".repeat(65)}`, "nested deeper"],
    ["hundreds of thousands of levels", `${"[".repeat(400_000)}${"]".repeat(400_000)}`, "nested deeper"],
  ])("refuses %s", (_, text, message) => {
    expect(() => parseStrictJson(bytes(text))).toThrow(message);
  });

  it("refuses a key that the engine takes for another one that it read before", () => {
    JSON.parse('{"c":1,"x\\\\":1}');
    const misread = () => parseStrictJson(bytes('{"c":1,"x\\u0061":1,"xa":2}'));
    expect(misread).toThrow("ambiguous: a");
    expect(() => parseStrictJson('{"c":1,"x\\\\":1}')).toThrow("a key ends with a backslash");
    expect(parseStrictJson('{"d":1,"x\\u0061":1,"\\\\y":2}')).toEqual({ d: 1, xa: 1, "\\y": 2 });
  });

  it("refuses a prototype key whichever of its letters are written as escapes", () => {
    const letters = Array.from("__proto__");
    const escaped = (letter: string, upper: boolean): string => {
      const hex = letter.charCodeAt(0).toString(16).padStart(4, "0");
      return `\\u${upper ? hex.toUpperCase() : hex}`;
    };
    const choices = fc.array(fc.constantFrom("plain", "lower", "upper"), { minLength: 9, maxLength: 9 });
    fc.assert(
      fc.property(choices, (choice) => {
        const key = letters.map((letter, at) =>
          choice[at] === "plain" ? letter : escaped(letter, choice[at] === "upper"),
        );
        expect(() => parseStrictJson(bytes(`{"a":[{"${key.join("")}":1}]}`))).toThrow("__proto__");
      }),
    );
  });

  it("refuses half a surrogate pair in bytes, whatever the case of its digits, and takes whole pairs", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0xd800, max: 0xdfff }), fc.boolean(), (unit, upper) => {
        const hex = unit.toString(16);
        const text = `{"k":"\\u${upper ? hex.toUpperCase() : hex}"}`;
        expect(() => parseStrictJson(bytes(text))).toThrow("surrogate");
      }),
    );
    expect(parseStrictJson(bytes('["\\ud83d\\ude00"]'))).toEqual(["😀"]);
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

  it.each([
    ['{"a":{},"b":[]}', 3],
    ['{"a":[1,2],"b":{"c":"x,y,{["}}', 6],
    ["[[],[[]],0]", 5],
  ])("counts the values of %s", (text, count) => {
    const long = text + " ".repeat(100);
    expect(hasMoreValues(long, count)).toBe(false);
    expect(hasMoreValues(long, count - 1)).toBe(true);
  });

  it("refuses a text of millions of values before it makes them, and none for what stands in strings", () => {
    expect(() => parseStrictJson(`[${"{},".repeat(1_200_000)}{}]`)).toThrow(
      "made of more than 1000000 values",
    );
    const text = `${"[{,".repeat(500_000)}\\"`;
    expect(parseStrictJson(JSON.stringify([text, text]))).toEqual([text, text]);
    expect(parseStrictJson(`[${"0,".repeat(900_000)}0]`)).toHaveLength(900_001);
    expect(() => parseStrictJson(`["${" ".repeat(300_000)}`)).toThrow("not JSON");
    expect(() => parseStrictJson(`["${" ".repeat(300_000)}\\"`)).toThrow("not JSON");
  });
});
