import { describe, expect, it } from "vitest";
import { RecentlyGoverned } from "../../../../../src/cluster/live/registration/recently-governed.ts";
import { selectionOf } from "../../../../../src/kubernetes/selection.ts";
import { nowhere } from "../../../../fixtures/governed.ts";

const [a, b] = ["a", "b"].map((tenant) => selectionOf({ matchLabels: { tenant } })!) as [
  ReturnType<typeof selectionOf> & object,
  ReturnType<typeof selectionOf> & object,
];

describe("RecentlyGoverned", () => {
  it("widens at once, and narrows a minute after what was governed is no more", () => {
    let now = 0;
    const recent = new RecentlyGoverned(() => now);
    expect(recent.including({ enforced: [a], observed: [] })).toEqual({
      governed: { enforced: [a], observed: [] },
    });
    now = 1e6;
    expect(recent.including({ enforced: [b], observed: [] })).toEqual({
      governed: { enforced: [a, b], observed: [] },
      narrowsIn: 60_000,
    });
    now += 59_999;
    expect(recent.including({ enforced: [b], observed: [] }).narrowsIn).toBe(1);
    now += 1;
    expect(recent.including({ enforced: [b], observed: [] })).toEqual({
      governed: { enforced: [b], observed: [] },
    });
  });

  it("keeps what comes back, and refuses for a minute more what is only looked at from now on", () => {
    let now = 0;
    const recent = new RecentlyGoverned(() => now);
    recent.including({ enforced: [a], observed: [] });
    expect(recent.including({ enforced: [], observed: [a] }).governed).toEqual({
      enforced: [a],
      observed: [a],
    });
    now = 30_000;
    expect(recent.including({ enforced: [a], observed: [] })).toEqual({
      governed: { enforced: [a], observed: [a] },
      narrowsIn: 60_000,
    });
    now = 90_000;
    expect(recent.including({ enforced: [a], observed: [] })).toEqual({
      governed: { enforced: [a], observed: [] },
    });
    expect(recent.including(nowhere).narrowsIn).toBe(60_000);
  });
});
