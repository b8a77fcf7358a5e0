import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeVolumeObject, holdsKeys, onlyKeys } from "../../../src/kubernetes/volume-object.ts";
import { SourceError } from "../../../src/skill/source-error.ts";
import type { KubernetesObject } from "../../../src/kubernetes/object.ts";

const ref = { kind: "ConfigMap", namespace: "payments", name: "etl" } as const;
const secretRef = { ...ref, kind: "Secret" } as const;

const decoded = (object: KubernetesObject) => decodeVolumeObject(object, ref);
const textOf = (object: KubernetesObject) =>
  [...decoded(object).files].map(([key, file]) => [key, Buffer.from(file.bytes).toString("latin1")]);

describe("decodeVolumeObject", () => {
  it("reads data as UTF-8 and binaryData as base64", () => {
    expect(textOf({ data: { "SKILL.md": "ä" }, binaryData: { "logo.png": "/wAB" } })).toEqual([
      ["SKILL.md", "Ã¤"],
      ["logo.png", "\xff\x00\x01"],
    ]);
  });

  it("is one state of one object, and keeps immutable", () => {
    const object = decoded({ metadata: { uid: "u", resourceVersion: "7" }, immutable: true });
    expect(object).toMatchObject({ ...ref, identity: "u/7", immutable: true });
    expect(decoded({}).immutable).toBe(false);
  });

  it.each([
    {},
    { uid: "u" },
    { resourceVersion: "7" },
    { uid: "", resourceVersion: "7" },
    { uid: 1, resourceVersion: "7" },
  ])("is no known state with the metadata %j", (metadata) => {
    expect(decoded({ metadata }).identity).toBe("");
  });

  it("reads a Secret's data as base64", () => {
    const secret = decodeVolumeObject({ data: { k: "aGk=" } }, secretRef);
    expect(Buffer.from(secret.files.get("k")!.bytes).toString()).toBe("hi");
  });

  it("ignores line breaks in base64, as the API server does", () => {
    expect(textOf({ binaryData: { k: "aG\nk=\r\n" } })).toEqual([["k", "hi"]]);
  });

  it.each([
    ["a key with a slash", { data: { "a/b": "" } }, /"a\/b" in data may hold letters/],
    ["an empty key", { data: { "": "" } }, /may hold letters/],
    ["a key that begins with two dots", { data: { "..data": "" } }, /nor begin with/],
    ["the key .", { data: { ".": "" } }, /may not be/],
    ["a key of 254 characters", { data: { ["k".repeat(254)]: "" } }, /longer than 253/],
    ["a key in both maps", { data: { k: "" }, binaryData: { k: "" } }, /is in data too/],
    ["half of a surrogate pair", { data: { k: "\ud800" } }, /does not hold well-formed text/],
    ["a value that is no string", { data: { k: 1 } }, /does not hold well-formed text/],
    ["data that is a list", { data: ["x"] }, /data is not a map/],
    ["base64 without padding", { binaryData: { k: "aGk" } }, /does not hold base64/],
    ["base64 of the URL alphabet", { binaryData: { k: "_-_-" } }, /does not hold base64/],
    ["base64 with stray bits", { binaryData: { k: "aGl=" } }, /does not hold base64/],
    ["immutable that is text", { immutable: "true" }, /immutable is not true or false/],
  ])("refuses %s", (_, object, message) => {
    expect(() => decoded(object as KubernetesObject)).toThrow(message);
    expect(() => decoded(object as KubernetesObject)).toThrow("ConfigMap payments/etl");
  });

  it("takes exactly 1 MiB, and refuses a byte more", () => {
    const mebibyte = "x".repeat(1024 * 1024);
    expect(decoded({ data: { k: mebibyte } }).files.get("k")?.size).toBe(1024 * 1024);
    expect(() => decoded({ data: { k: mebibyte, l: "y" } })).toThrow(/more than 1048576 bytes/);
  });

  /** A map of `count` keys that counts the values that are asked for. */
  function counted(count: number) {
    let values = 0;
    const data: Record<string, string> = {};
    for (let index = 0; index < count; index += 1) {
      Object.defineProperty(data, `k${index}`, { enumerable: true, get: () => ((values += 1), "x") });
    }
    return { object: { data }, values: () => values };
  }

  it("decodes no key but those that are asked for", () => {
    const { object, values } = counted(120_000);
    const { files } = decodeVolumeObject(object, { ...ref, keys: new Set(["k7", "k119999", "toString"]) });
    expect([...files.keys()]).toEqual(["k7", "k119999"]);
    expect(values()).toBe(2);
  });

  it("takes 10,000 keys, and decodes none of more", () => {
    expect(decoded(counted(10_000).object).files.size).toBe(10_000);
    const { object, values } = counted(10_001);
    expect(() => decoded(object)).toThrow(/brings in more than 10000 keys; mount only those/);
    expect(() => decoded({ data: object.data, binaryData: {} })).toThrow(SourceError);
    expect(values()).toBe(0);
  });

  it("bounds the bytes and looks at the names of the keys that are asked for only", () => {
    const object = { data: { "a/b": "", big: "x".repeat(1024 * 1024), small: "y" } };
    const keys = (...names: string[]) => ({ ...ref, keys: new Set(names) });
    expect(decodeVolumeObject(object, keys("small")).files.size).toBe(1);
    expect(() => decodeVolumeObject(object, keys("small", "big"))).toThrow(/more than 1048576 bytes/);
    expect(() => decodeVolumeObject(object, keys("a/b"))).toThrow(/may hold letters/);
  });

  it("knows which keys it decoded, and gives no more than are asked for", () => {
    const keys = (...names: string[]) => ({ ...ref, keys: new Set(names) });
    const whole = decoded({ data: { a: "A", b: "B" } });
    const part = decodeVolumeObject({ data: { a: "A", b: "B" } }, keys("a", "c"));
    expect([holdsKeys(whole, ref), holdsKeys(whole, keys("z"))]).toEqual([true, true]);
    expect([holdsKeys(part, ref), holdsKeys(part, keys("c")), holdsKeys(part, keys("b"))]).toEqual([
      false,
      true,
      false,
    ]);
    const only = onlyKeys(whole, keys("b"));
    expect([...only.files]).toEqual([["b", whole.files.get("b")]]);
    expect(onlyKeys(whole, ref)).toBe(whole);
  });

  it("keeps bytes exactly, whatever they are", () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        const object = decoded({ binaryData: { k: Buffer.from(bytes).toString("base64") } });
        expect(Buffer.from(object.files.get("k")!.bytes).equals(Buffer.from(bytes))).toBe(true);
      }),
    );
  });

  it("throws SourceError or nothing, whatever comes", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.anything()), fc.anything(), (data, immutable) => {
        try {
          decoded({ data, binaryData: data, immutable });
        } catch (error) {
          expect(error).toBeInstanceOf(SourceError);
        }
      }),
    );
  });
});
