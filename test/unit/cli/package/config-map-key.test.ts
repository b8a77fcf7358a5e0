import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { configMapKey, pathOfKey } from "../../../../src/cli/package/config-map-key.ts";

const path = fc.array(fc.string({ unit: "binary", minLength: 1, maxLength: 20 }), {
  minLength: 1,
  maxLength: 5,
});

/** Keys that the API server accepts (`IsConfigMapKey`). */
const valid = (key: string) => /^[-._a-zA-Z0-9]{1,253}$/.test(key) && !key.startsWith("..") && key !== ".";

describe("configMapKey", () => {
  it.each([
    ["SKILL.md", "SKILL.md"],
    ["scripts/run.sh", "scripts__run.sh"],
    ["a_b/c d.md", "a_5fb__c_20d.md"],
    ["ä", "_c3_a4"],
    ["..hidden", "_2e.hidden"],
    [".github/x", ".github__x"],
  ])("turns %s into %s, and back", (from, key) => {
    expect(configMapKey(from)).toBe(key);
    expect(pathOfKey(key)).toBe(from);
  });

  it("gives a valid key for any path, and the path back unless it was cut", () => {
    fc.assert(
      fc.property(path, (parts) => {
        const whole = parts.join("/").toWellFormed();
        const key = configMapKey(whole);
        expect(valid(key)).toBe(true);
        expect(pathOfKey(key)).toBe(key.includes("_-") ? undefined : whole);
      }),
    );
  });

  it("cuts a long path without losing what tells it from others", () => {
    const one = `${"d/".repeat(120)}one_.md`;
    const other = `${"d/".repeat(120)}two_.md`;
    expect(valid(configMapKey(one))).toBe(true);
    expect(configMapKey(one)).not.toBe(configMapKey(other));
    expect(pathOfKey(configMapKey(one))).toBeUndefined();
  });

  it.each(["_", "_2", "a_2E", "_5g", "a b", "_41"])("knows that it never made the key %s", (key) => {
    expect(pathOfKey(key)).toBeUndefined();
  });
});
