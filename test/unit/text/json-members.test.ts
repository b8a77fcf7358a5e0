import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { JsonError } from "../../../src/text/json.ts";
import { membersOf } from "../../../src/text/json-members.ts";

const read = (text: string): unknown =>
  Object.fromEntries([...membersOf(text)].map(([key, value]) => [key, JSON.parse(value) as unknown]));

describe("membersOf", () => {
  it("cuts any object into the members that JSON.parse finds, however it is laid out", () => {
    const objects = fc.dictionary(fc.string({ unit: "grapheme" }), fc.jsonValue({ maxDepth: 4 }));
    fc.assert(
      fc.property(objects, fc.constantFrom(undefined, 1, "\t", "\r\n"), (value, indent) => {
        fc.pre(!JSON.stringify(value).includes("__proto__"));
        const space = indent === "\r\n" ? 2 : indent;
        const text = ` ${JSON.stringify(value, undefined, space)}\n`;
        expect(read(indent === "\r\n" ? text.replaceAll("\n", "\r\n") : text)).toEqual(JSON.parse(text));
      }),
    );
  });

  it("leaves the values of an object alone, whatever is in them", () => {
    expect([...membersOf('{"a": {"b" nonsense [,]}, "c": "}\\"{"}')]).toEqual([
      ["a", '{"b" nonsense [,]}'],
      ["c", '"}\\"{"'],
    ]);
  });

  it.each([
    ["an empty text", ""],
    ["a list", "[1]"],
    ["an open object", '{"a": 1'],
    ["an open value", '{"a": {"b": 1}'],
    ["an open string", '{"a": "b}'],
    ["an open key", '{"a'],
    ["a key without quotes", "{a: 1}"],
    ["a missing colon", '{"a" 1}'],
    ["a missing comma", '{"a": 1 "b": 2}'],
    ["a comma at the end", '{"a": 1,}'],
    ["text behind it", "{} x"],
    [
      "hundreds of thousands of members",
      `{${Array.from({ length: 500_000 }, (_, at) => `"k${at}":1`).join(",")}}`,
    ],
    ["a key twice", '{"a": 1, "\\u0061": 2}'],
  ])("refuses %s", (_, text) => {
    expect(() => membersOf(text)).toThrow(JsonError);
  });

  it("passes over megabytes", () => {
    const text = `{"request": {"object": [${"{},".repeat(1_000_000)}{}]}, "kind": "AdmissionReview"}`;
    expect(membersOf(text).get("kind")).toBe('"AdmissionReview"');
  });
});
