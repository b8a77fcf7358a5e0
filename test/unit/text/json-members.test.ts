import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { JsonError } from "../../../src/text/json.ts";
import { membersOf, readMembers } from "../../../src/text/json-members.ts";

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

describe("readMembers", () => {
  const pause = (): Promise<void> => Promise.resolve();

  it("reads what JSON.parse reads, all of it or the members that are asked for", async () => {
    const objects = fc.dictionary(fc.string({ unit: "grapheme" }), fc.jsonValue({ maxDepth: 2 }));
    await fc.assert(
      fc.asyncProperty(objects, fc.array(fc.string()), async (value, others) => {
        const text = JSON.stringify(value);
        fc.pre(!text.includes("__proto__") && !text.includes('\\\\":'));
        const whole = JSON.parse(text) as Record<string, unknown>;
        expect(await readMembers(text, undefined, pause)).toEqual(whole);
        const half = Object.keys(whole).filter((_, at) => at % 2 === 0);
        expect(await readMembers(text, new Set([...half, ...others]), pause)).toEqual(
          Object.fromEntries(
            Object.entries(whole).filter(([key]) => half.includes(key) || others.includes(key)),
          ),
        );
      }),
    );
  });

  it("pauses on its way through a hundred thousand members, and ends with the error of a pause", async () => {
    const text = JSON.stringify(
      Object.fromEntries(Array.from({ length: 100_000 }, (_, at) => [`k${at}`, `v${at}`])),
    );
    let pauses = 0;
    const read = await readMembers(text, new Set(["k99999"]), () => {
      pauses += 1;
      return Promise.resolve();
    });
    expect(read).toEqual({ k99999: "v99999" });
    expect(pauses).toBeGreaterThan(20);
    const late = new Error("late");
    await expect(readMembers(text, undefined, () => Promise.reject(late))).rejects.toBe(late);
  });

  it.each([
    ["a key twice, though nobody asks for it", '{"a": 1, "b": 2, "\\u0061": 3}'],
    ["the key __proto__", '{"__proto__": "x"}'],
    ["half of a surrogate pair in a key", '{"\\ud800": "x"}'],
    ["half of a surrogate pair in a value", '{"b": "\\ud800"}'],
    ["a value that is none", '{"b": x}'],
    ["a list", "[]"],
  ])("refuses %s", async (_, text) => {
    await expect(readMembers(text, new Set(["b"]), pause)).rejects.toThrow(JsonError);
  });
});
