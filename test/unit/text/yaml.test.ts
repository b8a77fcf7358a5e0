import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseStrictYaml, parseStrictYamlDocuments, YamlError } from "../../../src/text/yaml.ts";
import { runs } from "../../fixtures/property-runs.ts";

const maxBytes = 65_536;
const failsafe = (text: string): unknown => parseStrictYaml(text, { schema: "failsafe", maxBytes });
const core = (text: string): unknown => parseStrictYaml(text, { schema: "core", maxBytes });

describe("parseStrictYaml", () => {
  it("keeps every scalar as text in the failsafe schema", () => {
    expect(failsafe("version: 1.10\nok: true\nnone:\nlist: [1, ~]")).toEqual({
      version: "1.10",
      ok: "true",
      none: "",
      list: ["1", "~"],
    });
  });

  it("knows numbers, booleans and null in the core schema, and no YAML 1.1 words", () => {
    expect(core("a: 1.5\nb: true\nc: null\nd: on\n2: x")).toEqual({
      a: 1.5,
      b: true,
      c: null,
      d: "on",
      "2": "x",
    });
  });

  it("reads an empty text as null", () => {
    expect(core("")).toBeNull();
    expect(core("# nothing\n")).toBeNull();
  });

  it.each([
    ["the same key twice", "a: 1\nb: 2\na: 3", /line 3: the key "a" stands twice/],
    ["the same key in another spelling", "\"a\": 1\n'a': 2", /line 2: the key "a" stands twice/],
    ["a prototype key", "x:\n  __proto__: {a: 1}", /line 2: .*__proto__/],
    ["an anchor", "a: &x 1", /the anchor &x is refused/],
    ["an alias", "a: &x 1\nb: *x", /refused/],
    ["a merge key", "<<: {a: 1}", /merge key/],
    ["a tag", "a: !!binary aGk=", /tag/],
    ["a tag of its own", "a: !evil x", /tag/i],
    ["a directive", "%YAML 1.1\n---\na: yes", /directive/],
    ["a tag directive", "%TAG !e! tag:x,2000:\n---\na: b", /directive/],
    ["a second document", "a: 1\n---\nb: 2", /second document/],
    ["a key that is a list", "[a, b]: 1", /key/],
    ["a null key", "~: 1", /key/],
    ["infinity", "a: .inf", /finite/],
    ["half a surrogate pair", 'a: "\\ud800"', /surrogate/],
    ["half a surrogate pair in a key", '"\\ud800": a', /surrogate/],
    ["what is no YAML", "a: [1", /line \d+: /],
  ])("refuses %s", (_, text, message) => {
    expect(() => core(text)).toThrow(YamlError);
    expect(() => core(text)).toThrow(message);
  });

  it("does not mistake words for prototypes", () => {
    expect(core("constructor: 1\ntoString: 2")).toEqual({ constructor: 1, toString: 2 });
  });

  it("bounds bytes, tokens and depth", () => {
    expect(() => parseStrictYaml("a: bcdef", { schema: "core", maxBytes: 7 })).toThrow(/longer than 7 bytes/);
    expect(parseStrictYaml("a: bcdef", { schema: "core", maxBytes: 8 })).toEqual({ a: "bcdef" });
    expect(() => parseStrictYaml("[a,b,c,d]", { schema: "core", maxBytes, maxTokens: 5 })).toThrow(
      /more than 5 tokens/,
    );
    expect(core(`[${"1,".repeat(1_600)}]`)).toHaveLength(1_600);
    expect(() => core(`[${"1,".repeat(1_700)}]`)).toThrow(/more than 5000 tokens/);
    expect(core("[".repeat(64) + "]".repeat(64))).toBeInstanceOf(Array);
    expect(() => core("[".repeat(66) + "]".repeat(66))).toThrow(/nested deeper/);
  });

  it.each([
    ["brackets", "[".repeat(1 << 20)],
    ["closed brackets within the tokens", "[".repeat(2_400) + "]".repeat(2_400)],
    ["braces", "{a: ".repeat(1 << 18)],
    ["dashes", "- ".repeat(1 << 19)],
    ["keys", Array.from({ length: 1 << 17 }, (_, index) => `k${index}: v`).join("\n")],
    ["keys within the tokens", Array.from({ length: 800 }, (_, index) => `k${index}: v`).join("\n")],
    ["anchors", "&a ".repeat(1 << 18)],
    ["documents", "---\n".repeat(1 << 18)],
    ["closing braces", "}\n".repeat(1 << 19)],
  ])("is done with a megabyte of %s within a second", (_, text) => {
    const start = process.cpuUsage();
    try {
      core(text);
    } catch (error) {
      expect(error).toBeInstanceOf(YamlError);
    }
    // A second of the processor, whoever else wants it.
    const { user, system } = process.cpuUsage(start);
    expect((user + system) / 1000).toBeLessThan(1_000);
  });

  it("reads back any JSON, and throws nothing but YamlError on any text", () => {
    const value = fc.jsonValue({ maxDepth: 4 }).filter((json) => !JSON.stringify(json).includes("__proto__"));
    fc.assert(
      fc.property(value, (json) => {
        const text = JSON.stringify(json);
        if (/"<<":/.test(text)) return;
        expect(JSON.stringify(core(text))).toBe(text);
      }),
    );
    const unit = fc.constantFrom(
      "a",
      ":",
      " ",
      "\n",
      "-",
      "[",
      "]",
      "{",
      "}",
      "&a",
      "*a",
      "!",
      "|",
      ">",
      '"',
      "'",
      "#",
      "%",
    );
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: "binary" }), fc.string({ unit, maxLength: 80 })), (text) => {
        try {
          core(text);
        } catch (error) {
          expect(error).toBeInstanceOf(YamlError);
        }
      }),
      runs(500),
    );
  });
});

describe("parseStrictYamlDocuments", () => {
  const all = (text: string, maxTokens?: number) =>
    parseStrictYamlDocuments(text, {
      schema: "core",
      maxBytes,
      ...(maxTokens === undefined ? {} : { maxTokens }),
    });

  it("reads a stream, leaving out empty documents", () => {
    expect(all("a: 1\n---\n---\n# only words\n---\nb: 2\n").map(({ value }) => value)).toEqual([
      { a: 1 },
      { b: 2 },
    ]);
  });

  it("says at which line each begins", () => {
    expect(all("a: 1\n---\nb: 2\n").map(({ line }) => line)).toEqual([1, 3]);
  });

  it("says at which line each item of a list begins", () => {
    const list =
      "---\nkind: List\nitems:\n- a: 1\n\n- a: 2\n  b: 3\n- &x {}\n- *x\n---\nc: {items: [1]}\n---\nitems: 4\n";
    expect(all(list).map(({ line, itemLines }) => [line, itemLines])).toEqual([
      [2, [4, 6, 8, 9]],
      [11, []],
      [13, []],
    ]);
  });

  it("writes aliases out", () => {
    expect(all("a: &x {n: 1}\nb: *x")[0]?.value).toEqual({ a: { n: 1 }, b: { n: 1 } });
  });

  it("refuses aliases that multiply", () => {
    const levels = Array.from({ length: 12 }, (_, n) => `l${n + 1}: &l${n + 1} [${`*l${n},`.repeat(9)}]`);
    expect(() => all(`l0: &l0 x\n${levels.join("\n")}`)).toThrow(/aliases make the document too large/);
  });

  it("refuses an alias of itself, one without anchor, and merge keys", () => {
    expect(() => all("a: &x [*x]")).toThrow(YamlError);
    expect(() => all("a: *x")).toThrow(YamlError);
    expect(() => all("a: &x {b: 1}\nc:\n  <<: *x")).toThrow(/merge key/);
  });

  it("counts the values of all documents together", () => {
    const stream = (count: number) => "a: &x [1,2,3,4,5,6]\nb: [*x, *x]\n---\n".repeat(count);
    expect(all(stream(2), 100)).toHaveLength(2);
    expect(() => all(stream(4), 100)).toThrow(YamlError);
    expect(() => all("a\n---\n".repeat(1_001), 100_000)).toThrow(/1000 documents/);
  });
});
