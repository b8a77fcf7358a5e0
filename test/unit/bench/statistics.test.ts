import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { median, quantile, spread } from "../../bench/statistics.ts";

describe("quantile", () => {
  it("takes the nearest rank, whatever the order", () => {
    expect(quantile([30, 10, 20, 40], 0.5)).toBe(20);
    expect(quantile([30, 10, 20, 40], 0.99)).toBe(40);
    expect(quantile([30, 10, 20, 40], 0)).toBe(10);
  });

  it("is no number for no values", () => {
    expect(quantile([], 0.5)).toBeNaN();
  });

  it("leaves at least that share of the values at or below it, and is one of them", () => {
    const values = fc.array(fc.double({ noNaN: true, noDefaultInfinity: true }), { minLength: 1 });
    fc.assert(
      fc.property(values, fc.double({ min: 0, max: 1, noNaN: true }), (all, share) => {
        const found = quantile(all, share);
        expect(all.some((value) => value === found)).toBe(true);
        expect(all.filter((value) => value <= found).length).toBeGreaterThanOrEqual(
          share * all.length - 1e-6,
        );
      }),
    );
  });
});

describe("spread", () => {
  it("is half the distance between the ends over the median", () => {
    expect(spread([9, 10, 11])).toBeCloseTo(0.1);
    expect(median([9, 10, 11])).toBe(10);
  });

  it("is nothing for one round", () => {
    expect(spread([5])).toBe(0);
  });
});
