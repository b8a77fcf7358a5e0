import { describe, expect, it } from "vitest";
import { RecentVersions } from "../../../src/recheck/recent-versions.ts";

const version = (name: string, resourceVersion: string) => ({
  ref: { kind: "ConfigMap", namespace: "payments", name } as const,
  resourceVersion,
});

describe("RecentVersions", () => {
  it("knows which versions were in force since another one, and what replaced them", () => {
    const recent = new RecentVersions(() => 0);
    for (const one of ["9", "11", "100"]) recent.add(version("a", one));
    const since = (number: bigint) =>
      recent.inForceSince("payments/a", number).map(({ version: { resourceVersion } }) => resourceVersion);
    expect(since(8n)).toEqual(["9", "11"]);
    expect(since(11n)).toEqual(["11"]);
    expect(since(100n)).toEqual([]);
    expect(recent.replacedBy(version("a", "11"))).toBe(100n);
    expect(recent.replacedBy(version("a", "100"))).toBeUndefined();
    recent.replaced(version("a", "120"));
    expect(recent.replacedBy(version("a", "100"))).toBe(120n);
    expect(recent.inForceSince("payments/other", 0n)).toEqual([]);
  });

  it("forgets after a minute what has been replaced, and keeps a bounded number of versions of one ConfigMap", () => {
    let time = 0;
    const recent = new RecentVersions(() => time);
    for (let at = 0; at < 1_500; at += 1) recent.add(version("a", String(at + 1)));
    expect(recent.inForceSince("payments/a", 0n)).toHaveLength(999);
    time = 60_000;
    recent.add(version("a", "2000"));
    expect(recent.inForceSince("payments/a", 0n)).toHaveLength(999);
    time = 60_001;
    recent.add(version("a", "2001"));
    // The last one from before was replaced a moment ago.
    const left = recent.inForceSince("payments/a", 0n);
    expect(left.map(({ version: { resourceVersion } }) => resourceVersion)).toEqual(["1500", "2000"]);
    time = 120_002;
    recent.add(version("new", "90000"));
    expect(recent.size).toBe(1);
  });

  it("takes the room for many from the namespace that has most, and from what changed there longest ago", () => {
    const recent = new RecentVersions(() => 0, 100_000);
    const quiet = {
      ref: { kind: "ConfigMap", namespace: "quiet", name: "q" } as const,
      resourceVersion: "1",
    };
    recent.add(quiet);
    for (let at = 0; at < 1_000; at += 1) recent.add(version(`m${at}`, String(at + 2)));
    recent.add(version("m999", "5000"));
    expect(recent.size).toBeLessThan(200);
    expect(recent.latest(quiet.ref)).toEqual(quiet);
    expect(recent.latest(version("m0", "").ref)).toBeUndefined();
    expect(recent.inForceSince("payments/m999", 0n)).toHaveLength(1);
    // One that changes without end leaves the others their room as well.
    for (let at = 0; at < 2_000; at += 1) recent.add(version("m", String(10_000 + at)));
    expect(recent.latest(quiet.ref)).toEqual(quiet);
    expect(recent.latest(version("m", "").ref)?.resourceVersion).toBe("11999");
  });
});
