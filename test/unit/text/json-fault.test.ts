import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { jsonFaultOf } from "../../../src/text/json-fault.ts";
import { parseStrictJson } from "../../../src/text/json.ts";

const isJson = (text: string): boolean => {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
};

describe("jsonFaultOf", () => {
  it.each([
    ["nothing", "", "it is empty"],
    ["blanks", " \n\t", "it is empty"],
    ["an open object", '{"a": 1', "it breaks off at its end"],
    ["a word", "password: hunter2", "line 1, column 1 is not as JSON demands"],
    ["a missing quote", '{"user":"x",\n "password": s3cr3t}', "line 2, column 14 is not as JSON demands"],
    ["an open string", '["abc', "it breaks off at its end"],
    ["a line break in a string", '{"a":"b\nc"}', "line 1, column 6 is not as JSON demands"],
    ["text behind the value", "{} s3cr3t", "line 1, column 4 is not as JSON demands"],
    ["a comma too many", "[1,]", "line 1, column 4 is not as JSON demands"],
    ["a key without quotes", "{a:1}", "line 1, column 2 is not as JSON demands"],
    ["a number with a leading zero", "[01]", "line 1, column 3 is not as JSON demands"],
    ["brackets of two kinds", '{"a":[1}', "line 1, column 8 is not as JSON demands"],
  ])("finds %s", (_, text, place) => {
    expect(jsonFaultOf(text)).toBe(place);
  });

  it("finds a fault in whatever is no JSON, behind a beginning that could still become JSON", () => {
    const broken = fc
      .tuple(fc.json(), fc.nat(), fc.constantFrom("", '"', "}", "]", ",", "x", "\\", "\n", "0"))
      .map(([text, at, put]) => {
        const place = at % (text.length + 1);
        return text.slice(0, place) + put + text.slice(place + (put === "" ? 1 : 0));
      });
    fc.assert(
      fc.property(broken, (text) => {
        fc.pre(!isJson(text));
        const [, line, column] = /^line (\d+), column (\d+) /.exec(jsonFaultOf(text)) ?? [];
        if (line === undefined) return;
        const lines = text.split("\n").slice(0, Number(line));
        const before = [...lines.slice(0, -1), lines.at(-1)?.slice(0, Number(column) - 1)].join("\n");
        expect(isJson(before) ? "JSON" : jsonFaultOf(before)).toMatch(
          /^(?:JSON|it is empty|it breaks off.*)$/,
        );
      }),
    );
  });

  it("takes linear time on megabytes", () => {
    expect(jsonFaultOf(`[${"[".repeat(1_000_000)}`)).toBe("it breaks off at its end");
    expect(jsonFaultOf(`["${'\\"x'.repeat(3_000_000)}`)).toBe("it breaks off at its end");
  });
});

describe("a text that is no JSON", () => {
  it("is refused without a word of it", () => {
    for (const text of ['{"password": s3cr3tPass}', "s3cr3tPass", '{"a":"b"} s3cr3tPass', '["s3cr3tPass\n"]'])
      expect(() => parseStrictJson(text)).toThrow(/^not JSON: (?!.*s3cr3t)/);
  });
});
