import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { parseTimeout, timeLimits } from "../../../src/server/deadline.ts";

describe("parseTimeout", () => {
  it("reads the durations that the API server writes", () => {
    expect(parseTimeout("/validate?timeout=5s")).toBe(5000);
    expect(parseTimeout("/validate?timeout=30s&x=y")).toBe(30_000);
    expect(parseTimeout("/validate?a=b&timeout=1m0.5s")).toBe(60_500);
    expect(parseTimeout("/validate?timeout=250ms")).toBe(250);
  });

  it("reads nothing else", () => {
    const texts = [
      "",
      "5",
      "s",
      "-5s",
      "0s",
      "5 s",
      "1e3s",
      "Infinitys",
      "NaNs",
      "5h",
      "5s5s",
      `${"9".repeat(99)}s`,
    ];
    for (const text of texts) expect(parseTimeout(`/validate?timeout=${text}`), text).toBeUndefined();
    expect(parseTimeout("/validate")).toBeUndefined();
    expect(parseTimeout(`/validate?timeout=5s&x=${"y".repeat(4000)}`)).toBeUndefined();
  });
});

describe("timeLimits", () => {
  it("stops before the caller does: half a second, or a tenth of a short time", () => {
    expect(timeLimits("/validate?timeout=10s", 1)).toEqual({ deadline: 9500, lastCall: 9750 });
    expect(timeLimits("/validate?timeout=1s", 1)).toEqual({ deadline: 900, lastCall: 950 });
    expect(timeLimits("/validate", 5000)).toEqual({ deadline: 4500, lastCall: 4750 });
  });

  it("never allows more than the 30 seconds of the API server, whatever the URL says", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.nat().map((value) => `${value}s`),
        ),
        (text) => {
          const { deadline, lastCall } = timeLimits(`/validate?timeout=${text}`, 5000);
          expect(deadline).toBeGreaterThanOrEqual(0);
          expect(lastCall).toBeGreaterThanOrEqual(deadline);
          expect(lastCall).toBeLessThan(30_000);
        },
      ),
    );
  });
});
