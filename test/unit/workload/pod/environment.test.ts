import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { environmentOf, expand } from "../../../../src/workload/pod/environment.ts";
import { podWith } from "../../../fixtures/pods.ts";

const values: Readonly<Record<string, string>> = { A: "a", EMPTY: "", REF: "$(A)" };
const expanded = (text: string) => expand(text, (name) => values[name]);

describe("expand", () => {
  // The cases of expansion_test.go that have known names only.
  it.each([
    ["$(A)", "a"],
    ["$(A)_$(A)", "a_a"],
    ["$$(A)", "$(A)"],
    ["$$$(A)", "$a"],
    ["$$$$(A)", "$$(A)"],
    ["$(A)$$(A)$(A)", "a$(A)a"],
    ["$(REF)", "$(A)"],
    ["$A", "$A"],
    ["$(A", "$(A"],
    ["$", "$"],
    ["$$", "$"],
    ["x$", "x$"],
    ["$)", "$)"],
    ["$(EMPTY)x", "x"],
    ["", ""],
  ])("turns %s into %s", (text, result) => {
    expect(expanded(text)).toBe(result);
  });

  it("knows nothing where a name has no value", () => {
    expect(expanded("a$(B)")).toBeUndefined();
    expect(expanded("$()")).toBeUndefined();
    expect(expanded("$($(A))")).toBeUndefined();
  });

  it("leaves text without $ alone, in time linear in its length", () => {
    fc.assert(
      fc.property(
        fc.string().filter((text) => !text.includes("$") && text.length < 4096),
        (text) => expanded(text) === text,
      ),
    );
    expect(expand("$(".repeat(200_000), () => "")).toBeUndefined();
  });
});

describe("environmentOf", () => {
  const environment = (env: readonly unknown[]) => environmentOf({ env }, "c", podWith([], []));

  it("lets a later variable use earlier ones, and the last of a name count", () => {
    const env = environment([
      { name: "A", value: "one" },
      { name: "B", value: "$(A)/$(C)" },
      { name: "C", value: "$(A)" },
      { name: "A", value: "two" },
    ]);
    expect([...env]).toEqual([
      ["A", "two"],
      ["B", undefined],
      ["C", "one"],
    ]);
  });

  it("keeps variables that double each other from growing without end", () => {
    const doubling = Array.from({ length: 64 }, (_, index) => ({
      name: `V${index}`,
      value: index === 0 ? "x" : `$(V${index - 1})$(V${index - 1})`,
    }));
    expect(environment(doubling).get("V63")).toBeUndefined();
  });
});
