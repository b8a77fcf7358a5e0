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

  it("forgets after a minute, and keeps a bounded number of objects and versions", () => {
    let time = 0;
    const recent = new RecentVersions(() => time);
    for (let at = 0; at < 10_050; at += 1) recent.add(version(`m${at}`, String(at + 1)));
    expect(recent.size).toBe(10_000);
    for (let at = 0; at < 500; at += 1) recent.add(version("m9999", String(20_000 + at)));
    expect(recent.inForceSince("payments/m9999", 0n)).toHaveLength(99);
    time = 60_001;
    recent.add(version("new", "90000"));
    expect(recent.size).toBe(1);
  });
});
