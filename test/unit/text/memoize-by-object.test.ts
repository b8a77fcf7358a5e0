import { describe, expect, it } from "vitest";

import { memoizeByObject } from "../../../src/text/memoize-by-object.ts";

describe("memoizeByObject", () => {
  it("works the answer for an object out once, and apart for an equal one", () => {
    const asked: object[] = [];
    const size = memoizeByObject((list: readonly string[]) => {
      asked.push(list);
      return list.length;
    });
    const [one, equal] = [["a"], ["a"]];
    expect([size(one), size(one), size(equal)]).toEqual([1, 1, 1]);
    expect(asked).toHaveLength(2);
    expect(asked[1]).toBe(equal);
  });

  it("remembers that the answer is undefined", () => {
    const asked: object[] = [];
    const nothing = memoizeByObject((key: object): string | undefined => {
      asked.push(key);
      return undefined;
    });
    const key = {};
    expect([nothing(key), nothing(key)]).toEqual([undefined, undefined]);
    expect(asked).toEqual([key]);
  });

  it("remembers no error: the next call tries again", () => {
    const asked: object[] = [];
    const failing = memoizeByObject((key: object): string => {
      asked.push(key);
      if (asked.length === 1) throw new Error("not yet");
      return "done";
    });
    const key = {};
    expect(() => failing(key)).toThrow("not yet");
    expect(failing(key)).toBe("done");
  });
});
