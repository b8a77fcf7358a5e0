import { describe, expect, it } from "vitest";
import { gradeAuthorship } from "../../../src/evidence/authorship.ts";
import { isCovered } from "../../../src/evidence/covered.ts";
import { meets, type Grade } from "../../../src/evidence/grade.ts";
import { gradeIntegrity } from "../../../src/evidence/integrity.ts";
import {
  always,
  type Difference,
  type SignatureEvidence,
} from "../../../src/signature/signature-evidence.ts";

const base = { format: "oms", digest: "sha256:00", validity: always } as const;
const signer = { kind: "key", publicKey: "00", names: ["k"] } as const;
const difference: Difference = { path: "a", change: "added", found: "sha256:00" };

const signed = (...unlisted: readonly string[]): SignatureEvidence => ({
  ...base,
  outcome: "signed",
  signer,
  unlisted,
});
const tampered: SignatureEvidence = { ...base, outcome: "tampered", signer, differences: [difference] };
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
