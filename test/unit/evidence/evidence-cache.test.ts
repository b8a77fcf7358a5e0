import { describe, expect, it } from "vitest";
import { EvidenceCache, type CacheResult } from "../../../src/evidence/evidence-cache.ts";
import type { Evidence } from "../../../src/evidence/evidence.ts";
import { always } from "../../../src/signature/validity.ts";
import { trustOf } from "../../fixtures/certificates.ts";
import { skillOf } from "../../fixtures/signed-skill.ts";

const digest = `sha256:${"0".repeat(64)}` as const;

const unsigned = (validity = always): Evidence => ({
  signature: { outcome: "unsigned", digest, validity },
  card: { faults: [] },
  validity,
});

const trust = trustOf({});

function watched(maxSize?: number): { cache: EvidenceCache; results: CacheResult[] } {
  const results: CacheResult[] = [];
  const onResult = (result: CacheResult): number => results.push(result);
  return { cache: new EvidenceCache(maxSize === undefined ? { onResult } : { maxSize, onResult }), results };
}

describe("EvidenceCache", () => {
  const skill = skillOf("one", { "SKILL.md": "a" });

  it("establishes evidence once for the same bytes, name and trust", () => {
    const { cache, results } = watched();
    const first = cache.get({ skill }, trust, 0, unsigned);
    expect(first).toEqual(unsigned());
    expect(
      cache.get({ skill: skillOf("one", { "SKILL.md": "a" }) }, trust, 0, () => expect.unreachable()),
    ).toBe(first);
    expect(results).toEqual(["miss", "hit"]);
  });

  it("never takes other bytes, another name, another image or other trust for the same", () => {
    const { cache, results } = watched();
    cache.get({ skill }, trust, 0, unsigned);
    cache.get({ skill: skillOf("one", { "SKILL.md": "b" }) }, trust, 0, unsigned);
    cache.get({ skill: skillOf("one", { "skill.md": "a" }) }, trust, 0, unsigned);
    cache.get({ skill: skillOf("two", { "SKILL.md": "a" }) }, trust, 0, unsigned);
    cache.get({ skill }, trustOf({}), 0, unsigned);
    const [image, other] = ["a", "b"].map((digit) => ({ digest: `sha256:${digit.repeat(64)}` as const }));
    cache.get({ skill, image: image! }, trust, 0, unsigned);
    cache.get({ skill, image: other! }, trust, 0, unsigned);
    expect(results).toEqual(Array(7).fill("miss"));
  });

  it("establishes it anew outside the time for which it holds, before as well as after", () => {
    const { cache, results } = watched();
    const span = (): Evidence => unsigned({ notBefore: 10, notAfter: 20 });
    for (const now of [10, 20, 21, 9]) cache.get({ skill }, trust, now, span);
    expect(results).toEqual(["miss", "hit", "expired", "expired"]);
  });

  it("remembers nothing of what failed", () => {
    const { cache, results } = watched();
    expect(() =>
      cache.get({ skill }, trust, 0, () => {
        throw new Error("no");
      }),
    ).toThrow("no");
    cache.get({ skill }, trust, 0, unsigned);
    expect(results).toEqual(["miss", "miss"]);
  });

  it("forgets the oldest when it is full, and holds nothing larger than itself", () => {
    const { cache, results } = watched(2000);
    for (let index = 0; index < 50; index += 1)
      cache.get({ skill: skillOf(`s${index}`) }, trust, 0, unsigned);
    results.length = 0;
    cache.get({ skill: skillOf("s49") }, trust, 0, unsigned);
    cache.get({ skill: skillOf("s0") }, trust, 0, unsigned);
    const large = (): Evidence => ({
      ...unsigned(),
      card: { faults: [{ path: "x".repeat(3000), detail: "" }] },
    });
    cache.get({ skill }, trust, 0, large);
    cache.get({ skill }, trust, 0, large);
    expect(results).toEqual(["hit", "miss", "miss", "miss"]);
  });
});
