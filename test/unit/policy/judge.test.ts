import { describe, expect, it } from "vitest";
import { judge } from "../../../src/policy/judge.ts";
import { gradesOf } from "../../../src/policy/rules/grades.ts";
import type { SignatureEvidence } from "../../../src/signature/signature-evidence.ts";
import type { SignatureFault } from "../../../src/signature/signature-error.ts";
import {
  card,
  codes,
  configMap,
  evidenceOf,
  judged,
  now,
  policyOf,
  reference,
  signed,
  stranger,
  tampered,
  trustedSigner,
  unsigned,
  untrusted,
} from "./builders.ts";

const plain = policyOf();
const faults: readonly SignatureFault[] = [
  "BAD_SIGNATURE",
  "UNTRUSTED_SIGNER",
  "SIGNER_EXPIRED",
  "MANIFEST_MALFORMED",
  "UNSUPPORTED_FORMAT",
];
const digests = { signed: `sha256:${"3f".repeat(32)}`, found: `sha256:${"91".repeat(32)}` };

// Each reason alone, with its nearest neighbour, is in reasons.test.ts; here is what they depend on and how they meet.
describe("judge the signature", () => {
  it("finds nothing, when a publisher signed exactly these files", () => {
    expect(judged(plain, signed())).toEqual([]);
  });

  it.each(faults)("finds %s, when the signature proves nothing for that reason", (fault) => {
    expect(judged(plain, untrusted(fault, true))).toEqual([fault]);
  });

  it("names each file that differs, with both digests", () => {
    const result = judge(
      plain,
      reference(),
      evidenceOf(
        tampered([
          { path: "scripts/run.sh", change: "modified", ...digests },
          { path: "a.md", change: "missing", signed: digests.signed },
          { path: "extra.py", change: "added", found: digests.found },
        ]),
      ),
      now,
    );
    expect(codes(result.findings)).toEqual([
      "DIGEST_MISMATCH scripts/run.sh",
      "FILE_MISSING a.md",
      "FILE_UNSIGNED extra.py",
    ]);
    expect(result.findings[0]).toEqual({
      code: "DIGEST_MISMATCH",
      path: "scripts/run.sh",
      message: "signed 3f3f3f3f…, found 91919191…",
      ...digests,
      tolerated: false,
    });
  });

  it("says who signed, too, when a stranger's skill was changed", () => {
    expect(judged(plain, tampered([{ path: "a", change: "modified" }], stranger))).toEqual([
      "DIGEST_MISMATCH a",
      "UNTRUSTED_SIGNER",
    ]);
  });

  it("finds DIGEST_MISMATCH, when a changed tree names no file", () => {
    expect(judged(plain, tampered([]))).toEqual(["DIGEST_MISMATCH"]);
  });

  it("finds UNSIGNED, which Warn tolerates until the date and not from then on", () => {
    expect(judged(plain, unsigned)).toEqual(["UNSIGNED"]);
    expect(judged(policyOf({ unsigned: { action: "Warn" } }), unsigned)).toEqual(["~UNSIGNED"]);
    const dated = policyOf({ unsigned: { action: "Warn", until: "2026-10-01T00:00:00Z" } });
    expect(judged(dated, unsigned, { now: now - 1 })).toEqual(["~UNSIGNED"]);
    expect(judged(dated, unsigned, { now })).toEqual(["UNSIGNED"]);
  });

  it("tolerates nothing but a missing signature under unsigned: Warn", () => {
    const policy = policyOf({ unsigned: { action: "Warn" } });
    for (const fault of faults) expect(judged(policy, untrusted(fault))).toEqual([fault]);
    expect(judged(policy, tampered([{ path: "a", change: "added" }]))).toEqual(["FILE_UNSIGNED a"]);
  });
});

describe("judge the grades", () => {
  const strict = policyOf({ evidence: { integrity: "STRONG", authorship: "STRONG" } });

  it("passes unlisted files at ignored paths, unless STRONG integrity is demanded", () => {
    expect(judged(plain, signed(trustedSigner, [".gitignore"]))).toEqual([]);
    expect(
      judged(policyOf({ evidence: { integrity: "MEDIUM" } }), signed(trustedSigner, [".gitignore"])),
    ).toEqual([]);
    expect(judged(strict, signed(trustedSigner, [".gitignore"]))).toEqual(["GRADE_BELOW_MINIMUM"]);
    expect(judged(strict, signed())).toEqual([]);
  });

  it("tells the grade of an author who is not a publisher", () => {
    const authorship = policyOf({ evidence: { authorship: "STRONG" } });
    expect(judged(authorship, signed(stranger))).toEqual(["UNTRUSTED_SIGNER", "GRADE_BELOW_MINIMUM"]);
    expect(judged(policyOf({ evidence: { authorship: "MEDIUM" } }), signed(stranger))).toEqual([
      "UNTRUSTED_SIGNER",
    ]);
    // Of a signature that proves nothing the grades would only say so again.
    expect(judged(authorship, untrusted("UNTRUSTED_SIGNER", true))).toEqual(["UNTRUSTED_SIGNER"]);
  });

  it("leaves a tolerated unsigned skill tolerated", () => {
    const policy = policyOf({
      unsigned: { action: "Warn" },
      evidence: { integrity: "STRONG", authorship: "STRONG" },
    });
    expect(judged(policy, unsigned)).toEqual(["~UNSIGNED"]);
  });

  it("has a finding of its own for every ABSENT grade, so that none passes in silence", () => {
    const signatures: readonly SignatureEvidence[] = [
      unsigned,
      tampered([]),
      tampered([{ path: "a", change: "missing" }]),
      ...faults.flatMap((fault) => [untrusted(fault), untrusted(fault, true)]),
    ];
    for (const signature of signatures) {
      const { grades, findings } = judge(plain, reference(), evidenceOf(signature), now);
      expect([grades.integrity, grades.authorship]).not.toEqual(["STRONG", "STRONG"]);
      expect(findings.filter(({ tolerated }) => !tolerated)).not.toEqual([]);
    }
  });

  it("grades by this policy's publishers, and UNVERIFIED without evidence", () => {
    expect(gradesOf(plain, evidenceOf(signed()), now)).toEqual({
      integrity: "STRONG",
      authorship: "STRONG",
      freshness: "WEAK",
    });
    expect(gradesOf(plain, evidenceOf(signed(stranger)), now)).toEqual({
      integrity: "STRONG",
      authorship: "MEDIUM",
      freshness: "WEAK",
    });
    expect(gradesOf(plain, undefined, now)).toEqual({
      integrity: "UNVERIFIED",
      authorship: "UNVERIFIED",
      freshness: "UNVERIFIED",
    });
  });
});

describe("judge the source", () => {
  const claim = { kind: "PersistentVolumeClaim", name: "data", writable: true } as const;
  const unread = {
    sources: [claim],
    content: { state: "unverifiable", kind: "PersistentVolumeClaim", detail: "a claim cannot be read" },
  } as const;

  it.each([
    ["Deny", ["SOURCE_UNVERIFIABLE"]],
    ["Warn", ["~SOURCE_UNVERIFIABLE"]],
    ["Allow", []],
  ])("answers %s for what cannot be read as the policy says", (response, expected) => {
    const named = policyOf({ unverifiable: { PersistentVolumeClaim: response } });
    const byDefault = policyOf({ unverifiable: { default: response } });
    for (const policy of [named, byDefault]) {
      expect(codes(judge(policy, reference(unread), undefined, now).findings)).toEqual(expected);
    }
  });

  it("denies what cannot be read by default, and where only another kind is named", () => {
    expect(codes(judge(plain, reference(unread), undefined, now).findings)).toEqual(["SOURCE_UNVERIFIABLE"]);
    const other = policyOf({ unverifiable: { EmptyDir: "Allow" } });
    expect(codes(judge(other, reference(unread), undefined, now).findings)).toEqual(["SOURCE_UNVERIFIABLE"]);
  });

  it.each(["SOURCE_UNAVAILABLE", "SOURCE_MALFORMED", "LIMIT_EXCEEDED", "TIMEOUT"] as const)(
    "finds %s, which nothing tolerates",
    (code) => {
      const policy = policyOf({ unverifiable: { default: "Allow" }, unsigned: { action: "Warn" } });
      const content = { state: "unavailable", code, detail: "not there" } as const;
      expect(codes(judge(policy, reference({ content }), undefined, now).findings)).toEqual([code]);
    },
  );

  it("makes nothing of evidence that belongs to no bytes", () => {
    const result = judge(plain, reference(unread), evidenceOf(signed()), now);
    expect(result.evidence).toBeUndefined();
    expect(result.grades.integrity).toBe("UNVERIFIED");
    expect(codes(result.findings)).toEqual(["SOURCE_UNVERIFIABLE"]);
  });

  it("finds NOT_IMMUTABLE once for each ConfigMap, when the policy demands it", () => {
    const policy = policyOf({ immutability: { configMap: "Required" } });
    const mutable = { sources: [configMap({ immutable: false }), configMap({ immutable: false })] };
    expect(judged(policy, signed(), { reference: mutable })).toEqual(["NOT_IMMUTABLE"]);
    expect(judged(policy, signed())).toEqual([]);
    expect(judged(plain, signed(), { reference: mutable })).toEqual([]);
    for (const kind of ["Projected", "Secret"] as const) {
      const sources = [configMap({ kind, immutable: false })];
      expect(judged(policy, signed(), { reference: { sources } })).toEqual(["NOT_IMMUTABLE"]);
    }
    const unknown = { sources: [{ kind: "ConfigMap", name: "a", writable: false } as const] };
    expect(judged(policy, signed(), { reference: unknown })).toEqual(["NOT_IMMUTABLE"]);
  });

  it("finds WRITABLE_MOUNT, when the policy demands read-only mounts", () => {
    const policy = policyOf({
      immutability: { readOnlyMount: "Required" },
      unverifiable: { default: "Warn" },
    });
    const result = judge(policy, reference(unread), undefined, now);
    expect(codes(result.findings)).toEqual(["~SOURCE_UNVERIFIABLE", "WRITABLE_MOUNT"]);
    const readOnly = { ...unread, sources: [{ ...claim, writable: false }] };
    expect(codes(judge(policy, reference(readOnly), undefined, now).findings)).toEqual([
      "~SOURCE_UNVERIFIABLE",
    ]);
  });
});

describe("judge the names", () => {
  const policy = policyOf({
    skills: [{ names: ["etl-*", "etl"], sources: ["ConfigMap"] }, { names: ["other"] }],
  });
  const named = (name: string) => ({
    faults: [],
    frontmatter: { path: "SKILL.md", name, allowedTools: [], metadata: {} },
  });

  it("passes a skill whose folder and SKILL.md one entry matches", () => {
    expect(judged(policy, signed(), { card: named("etl") })).toEqual([]);
    expect(judged(policy, signed(), { card: named("etl"), reference: { name: "etl-daily" } })).toEqual([]);
  });

  it("finds SKILL_NOT_ALLOWED, when the folder's name matches nothing", () => {
    expect(judged(policy, signed(), { card: named("etl"), reference: { name: "shell" } })).toEqual([
      "SKILL_NOT_ALLOWED",
    ]);
  });

  it("finds SKILL_NOT_ALLOWED, when the name in SKILL.md is another one", () => {
    expect(judged(policy, signed(), { card: named("shell") })).toEqual(["SKILL_NOT_ALLOWED"]);
  });

  it("quotes the name in SKILL.md only if it is signed", () => {
    const messageOf = (signature: SignatureEvidence): string =>
      judge(policy, reference({ name: "etl" }), evidenceOf(signature, named("shell")), now).findings.find(
        ({ code }) => code === "SKILL_NOT_ALLOWED",
      )!.message;
    expect(messageOf(signed())).toContain('in SKILL.md "shell"');
    expect(messageOf(unsigned)).toMatch(/"etl" with another name in SKILL.md/);
  });

  it("finds SKILL_NOT_ALLOWED, when the name in SKILL.md cannot be read: it may be any", () => {
    const faults = [{ path: "SKILL.md", detail: "the frontmatter cannot be read" }];
    expect(judged(policy, signed(), { card: { faults } })).toEqual(["SKILL_NOT_ALLOWED"]);
    const nameless = { faults: [], frontmatter: { path: "SKILL.md", allowedTools: [], metadata: {} } };
    expect(judged(policy, signed(), { card: nameless })).toEqual(["SKILL_NOT_ALLOWED"]);
  });

  it("does not let two entries match one half each", () => {
    expect(judged(policy, signed(), { card: named("other") })).toEqual(["SKILL_NOT_ALLOWED"]);
  });

  it("finds SKILL_NOT_ALLOWED, when one of the sources is not listed", () => {
    const sources = [configMap(), { kind: "Image", name: "i", writable: false } as const];
    expect(judged(policy, signed(), { card: named("etl"), reference: { sources } })).toEqual([
      "SKILL_NOT_ALLOWED",
    ]);
    expect(judged(policy, signed(), { card: named("other"), reference: { name: "other", sources } })).toEqual(
      [],
    );
  });

  it("compares only the names of a folder on the command line", () => {
    const sources = [{ kind: "Directory", name: "./etl", writable: false } as const];
    expect(judged(policy, signed(), { card: named("etl"), reference: { sources } })).toEqual([]);
    expect(judged(policy, signed(), { card: named("etl"), reference: { sources, name: "x" } })).toEqual([
      "SKILL_NOT_ALLOWED",
    ]);
  });

  it.each([
    ["Warn", ["UNSIGNED", "~SKILL_NOT_ALLOWED"]],
    ["Allow", ["UNSIGNED"]],
  ])("asks everything else with noMatch: %s", (noMatch, expected) => {
    const lenient = policyOf({ skills: [{ names: ["x"] }], noMatch });
    expect(judged(lenient, unsigned)).toEqual(expected);
  });
});

describe("judge the card", () => {
  const required = policyOf({ card: { required: true } });
  const withCard = (changes = {}, rest = {}) => ({ card: { card: card(changes), faults: [], ...rest } });

  it("demands nothing of the card by default", () => {
    const messy = { faults: [{ path: "SKILL.md", detail: "no frontmatter" }] };
    expect(judged(plain, signed(), { card: messy })).toEqual([]);
    expect(judged(policyOf({ card: { required: false } }), signed(), { card: messy })).toEqual([]);
  });

  it("finds CARD_MISSING, when a card is required and there is none", () => {
    expect(judged(required, signed())).toEqual(["CARD_MISSING"]);
    expect(judged(policyOf({ card: { fields: ["owner"] } }), signed())).toEqual(["CARD_MISSING"]);
    expect(judged(required, signed(), withCard())).toEqual([]);
  });

  it("finds CARD_MISSING, when the card is not among the signed files", () => {
    const signature = signed(trustedSigner, [".github/skill-card.md"]);
    expect(judged(required, signature, withCard({ path: ".github/skill-card.md" }))).toEqual([
      "CARD_MISSING .github/skill-card.md",
    ]);
    expect(judged(required, signature, withCard())).toEqual([]);
  });

  it("believes no card on files that are not as signed", () => {
    const demanding = policyOf({ card: { required: true, permissions: { deny: ["Read"] } } });
    expect(judged(demanding, tampered([{ path: "skill-card.md", change: "modified" }]), withCard())).toEqual([
      "DIGEST_MISMATCH skill-card.md",
    ]);
    expect(judged(demanding, unsigned, withCard())).toEqual(["UNSIGNED"]);
    expect(judged(demanding, signed(), withCard())).toEqual(["PERMISSION_DENIED"]);
  });

  it("finds CARD_INCOMPLETE for each fault, but a card that could not be read is not missing", () => {
    const unreadable = { faults: [{ path: "skill-card.md", field: "risks", detail: "no heading" }] };
    expect(judged(required, signed(), { card: unreadable })).toEqual(["CARD_INCOMPLETE skill-card.md"]);
    const result = judge(required, reference(), evidenceOf(signed(), unreadable), now);
    expect(result.findings[0]?.message).toBe("risks: no heading");
    const frontmatter = { faults: [{ path: "SKILL.md", detail: "no frontmatter" }] };
    expect(judged(required, signed(), { card: frontmatter })).toEqual([
      "CARD_MISSING",
      "CARD_INCOMPLETE SKILL.md",
    ]);
  });

  const empty = [
    ["description", ""],
    ["intent", " "],
    ["owner", undefined],
    ["license", { raw: "" }],
    ["version", ""],
    ["useCase", ""],
    ["geography", ""],
    ["posture", undefined],
    ["risks", []],
    ["limitations", []],
    ["permissions", []],
    ["dependencies", []],
    ["references", []],
    ["credentials", "unspecified"],
  ] as const;

  it.each(empty)("finds CARD_INCOMPLETE, when %s is demanded and empty", (field, value) => {
    const policy = policyOf({ card: { fields: [field] } });
    expect(judged(policy, signed(), withCard())).toEqual([]);
    const changed = { ...card(), [field]: value };
    if (value === undefined) Reflect.deleteProperty(changed, field);
    expect(judged(policy, signed(), { card: { card: changed, faults: [] } })).toEqual([
      "CARD_INCOMPLETE skill-card.md",
    ]);
  });

  it("finds RISK_UNMITIGATED for each risk without mitigation, when that is demanded", () => {
    const policy = policyOf({ card: { mitigationPerRisk: true } });
    const risks = [
      { id: "R1", text: "a" },
      { text: "b", mitigation: " " },
      { text: "c", mitigation: "d" },
      { text: "e", mitigation: "—" },
    ];
    expect(judged(policy, signed(), withCard({ risks }))).toEqual([
      "RISK_UNMITIGATED skill-card.md",
      "RISK_UNMITIGATED skill-card.md",
      "RISK_UNMITIGATED skill-card.md",
    ]);
    expect(judged(policy, signed(), withCard())).toEqual([]);
    expect(judged(required, signed(), withCard({ risks }))).toEqual([]);
  });

  describe("licences", () => {
    const policy = policyOf({ card: { licenses: { allow: ["Apache-2.0", "MIT"] } } });
    const license = (spdx: string) => withCard({ license: { raw: spdx, spdx } });

    it("takes what is allowed", () => {
      expect(judged(policy, signed(), license("Apache-2.0 AND MIT"))).toEqual([]);
      expect(judged(policy, signed(), license("GPL-3.0-only OR MIT"))).toEqual([]);
    });

    it("finds LICENSE_NOT_ALLOWED for what is not allowed, denied, unreadable or absent", () => {
      const denied = ["LICENSE_NOT_ALLOWED skill-card.md"];
      expect(judged(policy, signed(), license("Apache-2.0 AND GPL-3.0-only"))).toEqual(denied);
      expect(judged(policy, signed(), withCard({ license: { raw: "Proprietary" } }))).toEqual(denied);
      expect(judged(policy, signed(), withCard({ license: { raw: " " } }))).toEqual(denied);
      expect(judged(policy, signed())).toEqual(["LICENSE_NOT_ALLOWED"]);
      const denying = policyOf({ card: { licenses: { deny: ["MIT"] } } });
      expect(judged(denying, signed(), license("MIT"))).toEqual(denied);
      expect(judged(denying, signed(), license("Apache-2.0"))).toEqual([]);
    });

    it("reads the licence of SKILL.md, when there is no card", () => {
      const frontmatter = (text: string) => ({
        card: {
          faults: [],
          frontmatter: { path: "SKILL.md", license: text, allowedTools: [], metadata: {} },
        },
      });
      expect(judged(policy, signed(), frontmatter("Apache 2.0"))).toEqual([]);
      expect(judged(policy, signed(), frontmatter("GPL-3.0-only"))).toEqual(["LICENSE_NOT_ALLOWED"]);
      const unsigned = signed(undefined, ["skill.md"]);
      const left = {
        ...frontmatter("Apache-2.0").card,
        frontmatter: { path: "skill.md", license: "Apache-2.0", allowedTools: [], metadata: {} },
      };
      expect(judged(policy, unsigned, { card: left })).toContain("LICENSE_NOT_ALLOWED");
      const both = withCard({ license: { raw: "MIT", spdx: "MIT" } }, frontmatter("GPL-3.0-only").card);
      expect(judged(policy, signed(), { card: { ...both.card, card: card() } })).toEqual([]);
    });
  });

  it("finds PERMISSION_DENIED for each claim of card and SKILL.md that is denied", () => {
    const policy = policyOf({ card: { permissions: { deny: ["Bash(*)", "network:egress"] } } });
    const frontmatter = { path: "SKILL.md", allowedTools: ["Read", "Bash(rm:*)"], metadata: {} };
    expect(
      judged(policy, signed(), withCard({ permissions: ["network:egress", "Read"] }, { frontmatter })),
    ).toEqual(["PERMISSION_DENIED", "PERMISSION_DENIED"]);
    expect(judged(policy, signed(), { card: { faults: [], frontmatter } })).toEqual(["PERMISSION_DENIED"]);
    expect(judged(policy, signed(), withCard())).toEqual([]);
  });
});
