import { describe, expect, it } from "vitest";
import { WorkQueue, type Work } from "../../../src/recheck/work-queue.ts";

const work = (namespace: string, key: string): Work => ({ namespace, key });
const both = ["now", "later"] as const;
const all = (queue: WorkQueue<Work>, lanes: readonly ("now" | "later")[] = both): readonly string[] => {
  const keys: string[] = [];
  for (let one = queue.take(() => true, lanes); one !== undefined; one = queue.take(() => true, lanes))
    keys.push(one.key);
  return keys;
};

describe("WorkQueue", () => {
  it("takes namespaces in turn, what just happened first", () => {
    const queue = new WorkQueue<Work>();
    for (const key of ["a1", "a2", "a3"]) queue.add(work("a", key), "now");
    queue.add(work("c", "c1"), "later");
    queue.add(work("b", "b1"), "now");
    expect(queue.waiting("a")).toBe(3);
    expect(all(queue)).toEqual(["a1", "b1", "a2", "a3", "c1"]);
  });

  it("holds the same work once, in the lane that is sooner", () => {
    const queue = new WorkQueue<Work>();
    expect(queue.add(work("a", "x"), "later")).toBe(true);
    expect(queue.add(work("a", "x"), "now")).toBe(false);
    expect(queue.add(work("a", "x"), "later")).toBe(false);
    expect(all(queue, ["now"])).toEqual(["x"]);
    expect(all(queue)).toEqual([]);
  });

  it("passes over what is not free, and leaves the other lane alone", () => {
    const queue = new WorkQueue<Work>();
    queue.add(work("a", "busy"), "now");
    queue.add(work("a", "free"), "now");
    queue.add(work("b", "later"), "later");
    expect(queue.take(({ key }) => key !== "busy", both)?.key).toBe("free");
    expect(queue.take(({ key }) => key !== "busy", ["now"])).toBeUndefined();
    expect(all(queue)).toEqual(["busy", "later"]);
  });

  it("wakes who waits", async () => {
    const queue = new WorkQueue<Work>();
    const woken = queue.woken();
    queue.add(work("a", "x"), "later");
    await woken;
  });
});
