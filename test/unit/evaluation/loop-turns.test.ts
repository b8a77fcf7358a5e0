import { describe, expect, it } from "vitest";
import { LoopTurns } from "../../../src/evaluation/loop-turns.ts";

describe("LoopTurns", () => {
  it("lets one piece begin in each turn of the event loop, in order", async () => {
    const turns = new LoopTurns();
    const order: string[] = [];
    let turn = 0;
    const passing = (): void => {
      turn += 1;
      if (turn < 10) setImmediate(passing);
    };
    setImmediate(passing);
    await Promise.all(
      ["a", "b", "c"].map(async (name) => {
        await turns.next();
        order.push(`${name}${turn}`);
      }),
    );
    expect(order.map((one) => one[0])).toEqual(["a", "b", "c"]);
    expect(new Set(order.map((one) => one.slice(1))).size).toBe(3);
  });

  it("goes on for those that come later", async () => {
    const turns = new LoopTurns();
    await turns.next();
    await expect(turns.next()).resolves.toBeUndefined();
  });
});
