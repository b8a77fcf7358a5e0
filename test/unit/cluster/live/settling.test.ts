import { describe, expect, it } from "vitest";
import { createSettling } from "../../../../src/cluster/live/settling.ts";

const never = new AbortController().signal;

describe("the wait for changes that other replicas let through", () => {
  it("ends after its time, or with TIMEOUT at the review's deadline", async () => {
    const settling = createSettling(1);
    await expect(settling(never)).resolves.toBeUndefined();
    await expect(settling(AbortSignal.abort())).rejects.toMatchObject({ code: "TIMEOUT" });
  });

  it("is refused to those above the limit, who find a place once others have left theirs", async () => {
    const settling = createSettling(60_000, 2);
    const leaving = new AbortController();
    const waiting = [settling(leaving.signal), settling(leaving.signal)];
    await expect(settling(never)).rejects.toMatchObject({
      code: "TIMEOUT",
      message: "2 reviews wait for changes on their way already; try again, or run more replicas",
    });
    leaving.abort();
    const results = await Promise.allSettled(waiting);
    expect(results.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
    const last = new AbortController();
    const again = settling(last.signal);
    last.abort();
    await expect(again).rejects.toMatchObject({
      message: "there was no time to wait for changes on their way",
    });
  });
});
