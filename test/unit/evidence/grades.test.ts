import { describe, expect, it } from "vitest";
import { gradeAuthorship } from "../../../src/evidence/authorship.ts";
import { isCovered } from "../../../src/evidence/covered.ts";
import { gradeFreshness, signingTime } from "../../../src/evidence/freshness.ts";
import { meets, type Grade } from "../../../src/evidence/grade.ts";
import { gradeIntegrity } from "../../../src/evidence/integrity.ts";
import type { SignatureEvidence, Signer } from "../../../src/signature/signature-evidence.ts";
import { always } from "../../../src/signature/validity.ts";
import type { Difference } from "../../../src/signature/compare.ts";

const base = { format: "oms", digest: "sha256:00", validity: always } as const;
const signer = { kind: "key", publicKey: "00", names: ["k"] } as const;
const difference: Difference = { path: "a", change: "added", found: "sha256:00" };

const signed = (...unlisted: readonly string[]): SignatureEvidence => ({
  ...base,
  outcome: "signed",
  signer,
  unlisted,
});
const tampered: SignatureEvidence = {
  ...base,
  outcome: "tampered",
  signer,
  differences: [difference],
  unlisted: [],
};
const unsigned: SignatureEvidence = { outcome: "unsigned", digest: "sha256:00", validity: always };

type Untrusted = Extract<SignatureEvidence, { outcome: "untrusted" }>;
const untrusted = (fault: Untrusted["fault"], more: Partial<Untrusted> = {}): SignatureEvidence => ({
  ...base,
  outcome: "untrusted",
  fault,
  detail: "",
  selfConsistent: false,
  ...more,
});
const stranger = { selfConsistent: true, differences: [] } as const;

describe("gradeIntegrity", () => {
  it.each<[string, SignatureEvidence, Grade]>([
    ["signed", signed(), "STRONG"],
    ["signed with unlisted files", signed(".gitignore"), "MEDIUM"],
    ["tampered with", tampered, "ABSENT"],
    ["unsigned", unsigned, "ABSENT"],
    ["of a stranger, equal", untrusted("UNTRUSTED_SIGNER", stranger), "UNVERIFIED"],
    [
      "of a stranger, changed",
      untrusted("UNTRUSTED_SIGNER", { selfConsistent: true, differences: [difference] }),
      "ABSENT",
    ],
    ["of a stranger, not compared", untrusted("UNTRUSTED_SIGNER"), "UNVERIFIED"],
    ["expired, equal", untrusted("SIGNER_EXPIRED", stranger), "UNVERIFIED"],
    ["expired, changed", untrusted("SIGNER_EXPIRED", { differences: [difference] }), "ABSENT"],
    ["not understood", untrusted("UNSUPPORTED_FORMAT"), "UNVERIFIED"],
    ["wrongly signed", untrusted("BAD_SIGNATURE", { differences: [] }), "ABSENT"],
    ["malformed", untrusted("MANIFEST_MALFORMED"), "ABSENT"],
  ])("grades a skill that is %s", (_, signature, grade) => {
    expect(gradeIntegrity(signature)).toBe(grade);
  });
});

describe("gradeAuthorship", () => {
  it.each<[string, SignatureEvidence, Grade, Grade]>([
    ["signed", signed(), "STRONG", "MEDIUM"],
    ["tampered with", tampered, "STRONG", "MEDIUM"],
    ["unsigned", unsigned, "ABSENT", "ABSENT"],
    ["of a stranger", untrusted("UNTRUSTED_SIGNER", stranger), "WEAK", "WEAK"],
    ["of a key that is not at hand", untrusted("UNTRUSTED_SIGNER"), "UNVERIFIED", "UNVERIFIED"],
    ["not understood", untrusted("UNSUPPORTED_FORMAT", stranger), "UNVERIFIED", "UNVERIFIED"],
    ["expired", untrusted("SIGNER_EXPIRED", stranger), "ABSENT", "ABSENT"],
    ["wrongly signed", untrusted("BAD_SIGNATURE", stranger), "ABSENT", "ABSENT"],
    ["malformed", untrusted("MANIFEST_MALFORMED", stranger), "ABSENT", "ABSENT"],
  ])("grades a skill that is %s", (_, signature, publisher, other) => {
    expect(gradeAuthorship(signature, true)).toBe(publisher);
    expect(gradeAuthorship(signature, false)).toBe(other);
  });
});

describe("gradeFreshness", () => {
  const now = 1_000_000;
  const logged = (signedAt?: number): Signer => ({
    kind: "registry",
    hint: "v1",
    publicKey: "00",
    names: [],
    registries: [],
    skill: { name: "a", hashes: [] },
    ...(signedAt === undefined ? {} : { signedAt }),
  });
  const at = (signedAt: number | undefined, more: { readonly expires?: number } = {}): SignatureEvidence => ({
    ...base,
    outcome: "signed",
    signer: logged(signedAt),
    unlisted: [],
    ...more,
  });

  it.each<[string, SignatureEvidence, number | undefined, Grade]>([
    ["signed by a key alone", signed(), undefined, "WEAK"],
    ["signed by a key alone, whatever the limit", signed(), 0, "WEAK"],
    ["signed where the log tells no time", at(undefined), 100, "WEAK"],
    ["signed at a proved time", at(0), undefined, "MEDIUM"],
    ["as old as the limit", at(now - 100), 100, "MEDIUM"],
    ["a millisecond older than the limit", at(now - 101), 100, "ABSENT"],
    ["on its card's last moment", at(now, { expires: now }), undefined, "MEDIUM"],
    ["past its card's last moment", at(now, { expires: now - 1 }), undefined, "ABSENT"],
    ["past its card's last moment, time unknown", at(undefined, { expires: now - 1 }), undefined, "ABSENT"],
    ["before its card's last moment, time unknown", at(undefined, { expires: now }), undefined, "WEAK"],
    ["tampered with", tampered, undefined, "UNVERIFIED"],
    ["unsigned", unsigned, undefined, "UNVERIFIED"],
    ["of a stranger", untrusted("UNTRUSTED_SIGNER", stranger), undefined, "UNVERIFIED"],
    ["not understood", untrusted("UNSUPPORTED_FORMAT"), undefined, "UNVERIFIED"],
    ["wrongly signed", untrusted("BAD_SIGNATURE"), undefined, "UNVERIFIED"],
    ["malformed", untrusted("MANIFEST_MALFORMED"), undefined, "UNVERIFIED"],
    ["expired", untrusted("SIGNER_EXPIRED", stranger), undefined, "ABSENT"],
    ["revoked by its issuer", untrusted("REVOKED"), undefined, "ABSENT"],
  ])("grades a skill that is %s", (_, signature, maxAge, grade) => {
    expect(gradeFreshness(signature, now, maxAge)).toBe(grade);
  });

  it("goes by the time that was proved, never by anything else", () => {
    expect(signingTime(logged(7))).toBe(7);
    expect(signingTime(logged())).toBeUndefined();
    expect(signingTime(signer)).toBeUndefined();
  });
});

describe("isCovered", () => {
  it("covers the listed files of a signed tree", () => {
    expect(isCovered(signed(), "skill-card.md")).toBe(true);
    expect(isCovered(signed(".gitignore"), "skill-card.md")).toBe(true);
  });

  it("covers nothing that the signature ignores", () => {
    expect(isCovered(signed(".github/skill-card.md"), ".github/skill-card.md")).toBe(false);
  });

  it.each([
    ["tampered with", tampered],
    ["unsigned", unsigned],
    ["of a stranger", untrusted("UNTRUSTED_SIGNER", stranger)],
  ])("covers nothing in a tree that is %s", (_, signature) => {
    expect(isCovered(signature, "skill-card.md")).toBe(false);
  });
});

describe("meets", () => {
  it.each<[Grade, boolean, boolean, boolean]>([
    ["STRONG", true, true, true],
    ["MEDIUM", false, true, true],
    ["WEAK", false, false, true],
    ["UNVERIFIED", false, false, false],
    ["ABSENT", false, false, false],
  ])("holds %s against every minimum", (grade, strong, medium, weak) => {
    expect(meets(grade, "STRONG")).toBe(strong);
    expect(meets(grade, "MEDIUM")).toBe(medium);
    expect(meets(grade, "WEAK")).toBe(weak);
  });
});
