import { describe, expect, it } from "vitest";
import { selectorMatches } from "../../../src/kubernetes/label-selector.ts";

const labels = { tenant: "payments", tier: "gold" };

describe("selectorMatches", () => {
  it("matches everything, when absent or empty", () => {
    expect(selectorMatches(undefined, {})).toBe(true);
    expect(selectorMatches({}, labels)).toBe(true);
  });

  it("demands every label with its value", () => {
    expect(selectorMatches({ matchLabels: { tenant: "payments", tier: "gold" } }, labels)).toBe(true);
    expect(selectorMatches({ matchLabels: { tenant: "payments", tier: "silver" } }, labels)).toBe(false);
    expect(selectorMatches({ matchLabels: { other: "" } }, labels)).toBe(false);
  });

  it.each([
    ["In", ["payments", "x"], true, false],
    ["In", ["x"], false, false],
    ["NotIn", ["payments"], false, true],
    ["NotIn", ["x"], true, true],
    ["Exists", undefined, true, false],
    ["DoesNotExist", undefined, false, true],
  ] as const)("understands %s %j", (operator, values, present, absent) => {
    const requirement = { key: "tenant", operator, ...(values === undefined ? {} : { values: [...values] }) };
    expect(selectorMatches({ matchExpressions: [requirement] }, labels)).toBe(present);
    expect(selectorMatches({ matchExpressions: [requirement] }, {})).toBe(absent);
  });

  it("demands labels and expressions together", () => {
    const exists = { key: "tier", operator: "Exists" as const };
    expect(selectorMatches({ matchLabels: { tenant: "x" }, matchExpressions: [exists] }, labels)).toBe(false);
    expect(selectorMatches({ matchLabels: { tenant: "payments" }, matchExpressions: [exists] }, labels)).toBe(
      true,
    );
  });

  it("takes no inherited property for a label", () => {
    expect(selectorMatches({ matchExpressions: [{ key: "constructor", operator: "Exists" }] }, {})).toBe(
      false,
    );
    expect(selectorMatches({ matchExpressions: [{ key: "toString", operator: "DoesNotExist" }] }, {})).toBe(
      true,
    );
  });
});
