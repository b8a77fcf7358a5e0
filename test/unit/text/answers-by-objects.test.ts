import { describe, expect, it } from "vitest";

import { AnswersByObjects } from "../../../src/text/answers-by-objects.ts";

const [a, b, c] = [{}, {}, {}];

describe("AnswersByObjects", () => {
  it("gives an answer for the same objects in the same order, and for no others", () => {
    const answers = new AnswersByObjects<string>();
    answers.set([a, b], "ab");
    answers.set([a], "a");
    expect(answers.get([a, b])).toBe("ab");
    expect(answers.get([a])).toBe("a");
    for (const other of [[], [b], [b, a], [a, c], [{}, b], [a, b, c]])
      expect(answers.get(other)).toBeUndefined();
  });

  it("gives one for no objects, and the last that was set", () => {
    const answers = new AnswersByObjects<string>();
    answers.set([], "one");
    answers.set([], "two");
    expect(answers.get([])).toBe("two");
  });
});
