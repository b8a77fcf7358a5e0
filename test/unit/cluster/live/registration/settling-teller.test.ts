import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { SettlingTeller } from "../../../../../src/cluster/live/registration/settling-teller.ts";

describe("SettlingTeller", () => {
  const told: string[] = [];
  let teller: SettlingTeller<string>;
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
    told.length = 0;
    teller = new SettlingTeller((one) => told.push(one));
  });
  afterEach(() => {
    teller.close();
    vi.useRealTimers();
  });

  it("tells a second after the write, and at once what was written long ago", () => {
    teller.settles("old", performance.now() - 5_000);
    expect(told).toEqual(["old"]);
    teller.settles("new", performance.now());
    vi.advanceTimersByTime(900);
    expect(told).toEqual(["old"]);
    vi.advanceTimersByTime(100);
    expect(told).toEqual(["old", "new"]);
  });

  it("is not kept back by writes that follow each other, and tells the last one in its time", () => {
    for (let at = 0; at < 10; at += 1) {
      teller.settles(`write ${at}`, performance.now());
      vi.advanceTimersByTime(300);
    }
    expect(told).toEqual(["write 0", "write 3", "write 6"]);
    vi.advanceTimersByTime(1_000);
    expect(told.at(-1)).toBe("write 9");
  });

  it("tells a fault at once, and nothing of before", () => {
    teller.settles("written", performance.now());
    teller.now("fault");
    vi.advanceTimersByTime(5_000);
    expect(told).toEqual(["fault"]);
  });
});
