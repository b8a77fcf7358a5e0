import { describe, expect, it } from "vitest";

import { FairShares, slowAfter, type Share } from "../../../src/server/shares.ts";

/** Shares with a clock that stands still, and who gave way, in order. */
function setUp(total: number, perClient = total) {
  const gaveWay: string[] = [];
  const clock = { now: 0 };
  const shares = new FairShares({ total, perClient }, () => clock.now);
  const open = (client: string, name = client): Share => shares.open(client, () => gaveWay.push(name));
  /** Takes one for a request whose client has done its part. */
  const settled = (client: string, name?: string): boolean => {
    const share = open(client, name);
    share.settle();
    return share.take(1);
  };
  const several = (client: string, count: number): readonly boolean[] =>
    Array.from({ length: count }, (_, index) => settled(client, `${client}${index}`));
  return { shares, gaveWay, clock, open, settled, several };
}

describe("FairShares", () => {
  it("gives a client alone all that it asks for, and no more than there is", () => {
    const { shares, gaveWay, several, settled } = setUp(10);
    expect(several("a", 10)).toEqual(Array(10).fill(true));
    expect(settled("a")).toBe(false);
    expect([shares.used, gaveWay]).toEqual([10, []]);
  });

  it("gives a client no more than its own limit, though there is room", () => {
    const { shares, several } = setUp(10, 3);
    expect(several("a", 4)).toEqual([true, true, true, false]);
    expect(several("b", 3)).toEqual([true, true, true]);
    expect(shares.used).toBe(6);
  });

  it("finds a place for every newcomer, from the oldest of the client that has most, until both have the same", () => {
    const { shares, gaveWay, several } = setUp(10);
    several("flood", 10);
    expect(several("b", 6)).toEqual([true, true, true, true, true, false]);
    expect(gaveWay).toEqual(["flood0", "flood1", "flood2", "flood3", "flood4"]);
    expect(several("flood", 3)).toEqual([false, false, false]);
    expect(several("c", 1)).toEqual([true]);
    expect(shares.used).toBe(10);
  });

  it("takes nothing from a client that has no more than the newcomer would", () => {
    const { gaveWay, several } = setUp(4);
    for (const client of ["a", "b", "c", "d"]) several(client, 1);
    expect(several("e", 1)).toEqual([false]);
    expect(gaveWay).toEqual([]);
  });

  it("takes from requests that wait for their client before it takes from those at work", () => {
    const { gaveWay, several, open, settled } = setUp(4);
    several("flood", 2);
    open("flood", "waiting").take(1);
    settled("flood", "last");
    expect(settled("b")).toBe(true);
    expect(gaveWay).toEqual(["waiting"]);
  });

  it("lets one that waits too long make room for any other, also of the same client, but not one at work", () => {
    const { gaveWay, clock, open, several, settled } = setUp(3);
    const slow = open("a", "slow");
    expect(slow.take(1)).toBe(true);
    several("b", 2);
    clock.now = slowAfter;
    expect(settled("a")).toBe(false);
    clock.now += 1;
    expect(settled("a")).toBe(true);
    expect(gaveWay).toEqual(["slow"]);
    expect(settled("a")).toBe(false);
  });

  it("takes from a slow request of the same client, where that is at its own limit", () => {
    const { gaveWay, clock, open } = setUp(10, 2);
    open("a", "slow").take(2);
    open("b").take(2);
    clock.now = slowAfter + 1;
    expect(open("a").take(1)).toBe(true);
    expect(gaveWay).toEqual(["slow"]);
  });

  it("refuses the slowest request itself, when it asks for more", () => {
    const { gaveWay, clock, open } = setUp(3);
    const slow = open("a");
    slow.take(3);
    clock.now = slowAfter + 1;
    expect(slow.take(1)).toBe(false);
    expect(gaveWay).toEqual([]);
  });

  it("weighs by amount, and frees as much as is needed", () => {
    const { shares, gaveWay, open } = setUp(100);
    for (const name of ["a1", "a2", "a3"]) open("a", name).take(30);
    const b = open("b");
    expect(b.take(10)).toBe(true);
    expect(b.take(35)).toBe(true);
    expect(gaveWay).toEqual(["a1", "a2"]);
    expect(shares.used).toBe(75);
    expect(b.take(30)).toBe(false);
  });

  it("gets back what is released, once, and keeps nothing of clients that have gone", () => {
    const { shares, open, settled } = setUp(2);
    const share = open("a");
    share.take(2);
    share.release();
    share.release();
    expect(shares.used).toBe(0);
    expect([settled("b"), settled("b"), settled("b")]).toEqual([true, true, false]);
  });

  it("is bounded and even-handed, whatever is asked in whatever order", () => {
    const { shares, several } = setUp(64, 32);
    for (let round = 0; round < 50; round += 1)
      for (let client = 0; client < 8; client += 1) several(`c${client}`, 1 + ((round * 7 + client * 5) % 9));
    expect(shares.used).toBe(64);
    // All eight ask for more than they have: each ends with an eighth.
    expect(several("newcomer", 9).filter(Boolean)).toHaveLength(7);
  });
});
