import { describe, expect, it } from "vitest";
import { maxTriedKeys, triedKeys } from "../../../src/signature/trusted-key.ts";

const keys = Array.from({ length: 40 }, (_, index) => index);
const mebibyte = 1024 * 1024;

describe("triedKeys", () => {
  it.each([
    [0, maxTriedKeys],
    [40_000, maxTriedKeys],
    [mebibyte / 4, maxTriedKeys],
    [mebibyte, 8],
    [5 * mebibyte, 1],
    [100 * mebibyte, 1],
  ])("for a payload of %i bytes are the first %i", (bytes, count) => {
    expect(triedKeys(keys, bytes)).toEqual(keys.slice(0, count));
  });

  it("are all where there are few", () => {
    expect(triedKeys([1, 2], 10)).toEqual([1, 2]);
    expect(triedKeys([], 10)).toEqual([]);
  });
});
