import { describe, expect, it } from "vitest";
import type { Evidence } from "../../../src/evidence/evidence.ts";
import { judge } from "../../../src/policy/judge.ts";
import type { SignatureEvidence } from "../../../src/signature/signature-evidence.ts";
import { always } from "../../../src/signature/validity.ts";
import type { SignatureFault } from "../../../src/signature/signature-error.ts";
import { codes, now, policyOf, reference, signed, stranger, tampered, untrusted } from "./builders.ts";

const plain = policyOf();
const change = [
  { path: "a.md", change: "modified", signed: `sha256:${"1".repeat(64)}`, found: `sha256:${"2".repeat(64)}` },
] as const;

const at = (path: string, signature: SignatureEvidence): SignatureEvidence =>
  signature.outcome === "unsigned" ? signature : { ...signature, path };
const evidenceOf = (...signatures: readonly SignatureEvidence[]): Evidence => ({
  signature: signatures[0]!,
  others: signatures.slice(1),
  card: { faults: [] },
  validity: always,
});
const findingsOf = (evidence: Evidence, policy = plain) => judge(policy, reference(), evidence, now).findings;

describe("judge several signatures", () => {
  it("is content with a publisher's, in whichever place, beside somebody else's", () => {
    const other = at("b.sig", signed(stranger));
    expect(findingsOf(evidenceOf(at("a.sig", signed()), other))).toEqual([]);
    expect(findingsOf(evidenceOf(other, at("a.sig", signed())))).toEqual([]);
    const unknown = at("b.sig", untrusted("UNTRUSTED_SIGNER"));
    expect(findingsOf(evidenceOf(at("a.sig", signed()), unknown))).toEqual([]);
  });

  it("judges and grades by the publisher's", () => {
    const others = evidenceOf(at("b.sig", signed(stranger)), at("a.sig", signed()));
    const { grades, evidence } = judge(plain, reference(), others, now);
    expect(grades).toEqual({ integrity: "STRONG", authorship: "STRONG", freshness: "WEAK" });
    expect(evidence).toMatchObject({ signature: { path: "a.sig" }, others: [{ path: "b.sig" }] });
  });

  it("demands that one is a publisher's", () => {
    const both = evidenceOf(at("a.sig", signed(stranger)), at("b.sig", untrusted("UNTRUSTED_SIGNER")));
    expect(codes(findingsOf(both))).toEqual(["UNTRUSTED_SIGNER a.sig", "UNTRUSTED_SIGNER b.sig"]);
  });

  const faults: readonly SignatureFault[] = [
    "BAD_SIGNATURE",
    "SIGNER_EXPIRED",
    "MANIFEST_MALFORMED",
    "UNSUPPORTED_FORMAT",
  ];
  it.each(faults)("does not let a good one hide another with %s", (fault) => {
    const both = evidenceOf(at("a.sig", signed()), at("b.sig", untrusted(fault)));
    expect(findingsOf(both)).toEqual([
      { code: fault, path: "b.sig", message: `about ${fault}`, tolerated: false },
    ]);
  });

  it.each([stranger, undefined])("does not let a good one hide that another is of other files", (signer) => {
    const both = evidenceOf(at("a.sig", signed()), at("b.sig", tampered(change, signer)));
    expect(findingsOf(both)).toMatchObject([
      { code: "DIGEST_MISMATCH", path: "a.md", message: expect.stringContaining("b.sig") as string },
    ]);
  });

  it("prefers of two publishers' the one whose files are all there, and says what the other finds", () => {
    const both = evidenceOf(at("b.sig", tampered(change)), at("a.sig", signed()));
    const { grades, findings } = judge(plain, reference(), both, now);
    expect(grades.integrity).toBe("STRONG");
    expect(findings.map(({ code }) => code)).toEqual(["DIGEST_MISMATCH"]);
  });

  it.each(["Deny", "Warn", "Allow"])("never lets one by a revoked signer pass, also under %s", (answer) => {
    const both = evidenceOf(at("a.sig", signed()), at("b.sig", untrusted("REVOKED")));
    expect(findingsOf(both, policyOf({ otherSignatures: answer }))).toEqual([
      { code: "REVOKED", path: "b.sig", message: "about REVOKED", tolerated: false },
    ]);
  });

  it("lets it pass, with or without a warning, where the policy says so", () => {
    const both = evidenceOf(at("a.sig", signed()), at("b.sig", untrusted("BAD_SIGNATURE")));
    expect(findingsOf(both, policyOf({ otherSignatures: "Allow" }))).toEqual([]);
    expect(findingsOf(both, policyOf({ otherSignatures: "Warn" }))).toMatchObject([
      { code: "BAD_SIGNATURE", tolerated: true },
    ]);
    // Never for the one that counts.
    const tamperedWith = evidenceOf(at("a.sig", tampered(change)), at("b.sig", signed(stranger)));
    expect(findingsOf(tamperedWith, policyOf({ otherSignatures: "Allow" }))).toMatchObject([
      { code: "DIGEST_MISMATCH", tolerated: false },
    ]);
  });
});
