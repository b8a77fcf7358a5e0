import { describe, expect, it } from "vitest";
import { EventBudget } from "../../../../../src/cluster/live/events/budget.ts";

const limits = {
  perWorkload: { burst: 1, perSecond: 0 },
  perRequester: { burst: 2, perSecond: 0 },
  perNamespace: { burst: 3, perSecond: 1 },
  inAll: { burst: 5, perSecond: 1 },
  remembered: 10,
};

describe("EventBudget", () => {
  it("takes of every share, or of none", () => {
    const budget = new EventBudget(limits, 0);
    const take = (workload: string, requester: string, namespace = "n", now = 0) =>
      budget.take({ namespace, workload, requester }, now);
    expect([take("a", "u"), take("a", "u"), take("b", "u"), take("c", "u")]).toEqual([
      true,
      false,
      true,
      false,
    ]);
    // What was refused for the workload or the requester has taken nothing of the namespace.
    expect([take("c", "v"), take("d", "w")]).toEqual([true, false]);
    // Nor has what was refused for the namespace taken of the workload.
    expect(take("d", "w", "n", 1_000)).toBe(true);
    expect([take("a", "u", "m", 1_000), take("a", "u", "o", 1_000)]).toEqual([true, true]);
    expect(take("a", "u", "p", 1_000)).toBe(false);
  });

  it("counts for namespace and all alone what names neither workload nor requester", () => {
    const budget = new EventBudget(limits, 0);
    const took = Array.from({ length: 4 }, () => budget.take({ namespace: "n" }, 0));
    expect(took).toEqual([true, true, true, false]);
  });
});
