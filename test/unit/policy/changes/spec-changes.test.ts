import { describe, expect, it } from "vitest";
import { specChanges } from "../../../../src/policy/changes/spec-changes.ts";

const policy = {
  mode: "Enforce",
  noMatch: "Deny",
  recheck: "Binding",
  unsigned: { action: "Deny" },
  evidence: { integrity: "STRONG" },
  immutability: { configMap: "Required" },
  freshness: { maxSignatureAge: "24h" },
  skillRoots: ["/opt/skills"],
  publishers: [
    { name: "release", publicKey: { pem: "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----" } },
  ],
};

const changed = (change: object) => specChanges(policy, { ...policy, ...change }, false);

describe("specChanges", () => {
  it.each([
    ["mode: Enforce → Audit", { mode: "Audit" }],
    ["mode: Enforce → Warn", { mode: "Warn" }],
    ["noMatch: Deny → Allow", { noMatch: "Allow" }],
    ["recheck: Binding → Watch", { recheck: "Watch" }],
    ["unsigned.action: Deny → Warn", { unsigned: { action: "Warn" } }],
    ["evidence.integrity: STRONG → WEAK", { evidence: { integrity: "WEAK" } }],
    ["immutability.configMap: Required → NotRequired", { immutability: { configMap: "NotRequired" } }],
    ['skillRoots: removed "/opt/skills"', { skillRoots: [] }],
  ])("tells that a policy asks for less: %s", (words, change) => {
    expect(changed(change)).toEqual({ words: [words], isWeaker: true });
  });

  it("tells that a demand is gone", () => {
    expect(changed({ freshness: undefined })).toEqual({ words: ["freshness: changed"], isWeaker: true });
  });

  it("tells other changes without calling them weaker", () => {
    const stricter = { ...policy, mode: "Warn", unsigned: { action: "Warn" } };
    expect(specChanges(stricter, policy, false)).toEqual({
      words: ["mode: Warn → Enforce", "unsigned.action: Warn → Deny"],
      isWeaker: false,
    });
    const [release] = policy.publishers;
    expect(changed({ publishers: [{ ...release, publicKey: {} }, { name: "next" }] })).toEqual({
      words: ['publishers: added "next"; changed "release"'],
      isWeaker: false,
    });
    expect(changed({ publishers: [] }).words).toEqual(['publishers: removed "release"']);
    expect(
      changed({ tenant: "a", unsigned: { action: "Deny", until: "2027-01-01T00:00:00Z" } }).words,
    ).toEqual(["unsigned.until: none → 2027-01-01T00:00:00Z", "tenant: none → a"]);
  });

  it("says nothing of what is the same, whatever the order of its members", () => {
    const turned = Object.fromEntries(Object.entries(policy).toReversed());
    expect(specChanges(policy, turned, false)).toEqual({ words: [], isWeaker: false });
  });

  it("calls a revocation list weaker if an entry is gone, and not if its reason is another", () => {
    const [one, two] = ["0", "1"].map((digit) => `sha256:${digit.repeat(64)}`);
    const before = { skills: [{ digest: one, reason: "leaks" }] };
    expect(specChanges(before, { skills: [{ digest: two, reason: "leaks" }] }, true).isWeaker).toBe(true);
    expect(specChanges(before, {}, true).isWeaker).toBe(true);
    expect(specChanges(before, { skills: [{ digest: one, reason: "steals" }] }, true).isWeaker).toBe(false);
    expect(specChanges({}, before, true).isWeaker).toBe(false);
    const who = { identity: "a@b", issuer: "i", reason: "left" };
    expect(specChanges({ identities: [who] }, { identities: [] }, true)).toEqual({
      words: ['identities: removed "a@b i"'],
      isWeaker: true,
    });
  });

  it("shows no keys, forges no lines, and stays short", () => {
    const hostile = `\u202e\n${"x".repeat(5_000)}`;
    const entries = Array.from({ length: 1_000 }, (_, index) => ({ name: `${index}${hostile}` }));
    const many = Object.fromEntries(Array.from({ length: 100 }, (_, index) => [`${index}${hostile}`, "a"]));
    const { words } = specChanges(policy, { ...policy, publishers: entries, ...many, mode: hostile }, false);
    expect(words).toHaveLength(20);
    expect(words.at(-1)).toBe("and 83 more");
    expect(words.join("")).not.toMatch(/[\u202e\n]/);
    expect(words.join("").length).toBeLessThan(10_000);
    const pem = { publicKey: policy.publishers[0]?.publicKey };
    expect(specChanges({ key: pem }, { key: {} }, false).words).toEqual(["key.publicKey: changed"]);
    expect(specChanges({ pem: "a\nb" }, { pem: "c\nd" }, false).words).toEqual(["pem: changed"]);
  });
});
