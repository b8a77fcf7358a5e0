import { describe, expect, it } from "vitest";
import { TokenBucket } from "../../../src/text/token-bucket.ts";

describe("TokenBucket", () => {
  it("gives a burst, then so many a second, and never saves up more than a burst", () => {
    const bucket = new TokenBucket({ burst: 3, perSecond: 2 }, 0);
    const taken = (now: number): number => {
      let count = 0;
      while (bucket.take(now)) count += 1;
      return count;
    };
    expect([taken(0), taken(400), taken(500), taken(1_500), taken(60_000)]).toEqual([3, 0, 1, 2, 3]);
  });
});
