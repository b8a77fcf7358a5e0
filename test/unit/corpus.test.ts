import { existsSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { corpus } from "../fixtures/corpus.ts";

describe("the corpus of published skills", () => {
  it("is whole, where it is beside the project", () => {
    if (!existsSync(corpus)) {
      console.warn(
        `${corpus} is not here, so nothing is tested on published skills; their shapes are, on skills that the tests sign`,
      );
      return;
    }
    const parts = [
      "nvidia/expected.json",
      "oms-lab/expected.json",
      "oms-reference/keys",
      "oms-spec/test-vectors",
    ];
    expect(parts.filter((part) => !existsSync(`${corpus}/${part}`))).toEqual([]);
  });
});
