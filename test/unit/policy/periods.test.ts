import { generateKeyPairSync } from "node:crypto";
import { beforeAll, describe, expect, it } from "vitest";
import { compileObjects } from "../../fixtures/compile.ts";
import { judge } from "../../../src/policy/judge.ts";
import { reasonTexts, remedyFor } from "../../../src/policy/remedy.ts";
import type { Policy } from "../../../src/policy/policy.ts";
import type { SignatureEvidence, Signer } from "../../../src/signature/signature-evidence.ts";
import { publicGoodRoot } from "../../../src/signature/sigstore/root/public-good-root.ts";
import { readTrustedRoot } from "../../../src/signature/sigstore/root/trusted-root.ts";
import { issueAuthority, type IssuedCertificate } from "../../fixtures/certificates.ts";
import {
  codes,
  evidenceOf,
  keyFingerprint,
  policyObject,
  policyOf,
  reference,
  rootObject,
  signed,
  tampered,
} from "./builders.ts";
import { publicKey, publishers, type Spec } from "./resource-cases.ts";

const start = Date.parse("2026-06-01T00:00:00Z");
const end = Date.parse("2026-12-31T00:00:00Z");
const period = { notBefore: "2026-06-01T00:00:00Z", notAfter: "2026-12-31T01:00:00+01:00" };

const otherKey = generateKeyPairSync("ec", { namedCurve: "P-256" })
  .publicKey.export({ type: "spki", format: "pem" })
  .toString();

const byKey = (pem: string): Signer => ({ kind: "key", publicKey: keyFingerprint(pem), names: [] });

let authority: IssuedCertificate;
beforeAll(async () => {
  authority = await issueAuthority({ notAfter: 4_000 });
});

const byCertificate = (anchors: readonly string[]): Signer => ({
  kind: "certificate",
  subject: "CN=Leaf",
  attributes: { CN: ["Leaf"] },
  fingerprint: "d1".repeat(32),
  publicKey: "d2".repeat(32),
  anchors,
});

const keyless = (signedAt?: number): Signer => ({
  kind: "keyless",
  identity: "me@example.com",
  issuer: "https://issuer.example.com",
  claims: {},
  fingerprint: "c1".repeat(32),
  publicKey: "c2".repeat(32),
  roots: [readTrustedRoot(publicGoodRoot, []).fingerprint],
  ...(signedAt === undefined ? {} : { signedAt }),
});

const publisherOf = (kind: "keys" | "certificates" | "sigstore", key?: string): Spec => {
  const trustRootRef = { name: "r", ...(key === undefined ? {} : { key }) };
  switch (kind) {
    case "keys":
      return { name: "p", publicKey: { trustRootRef } };
    case "certificates":
      return { name: "p", certificate: { trustRootRef } };
    case "sigstore":
      return {
        name: "p",
        keyless: { trustRootRef, issuer: "https://issuer.example.com", identity: "me@example.com" },
      };
  }
};

/** A policy whose one publisher is known by these entries of a trust root. */
const under = (kind: "keys" | "certificates" | "sigstore", entries: readonly Spec[], key?: string): Policy =>
  policyOf({ publishers: [publisherOf(kind, key)] }, [
    rootObject({ [kind]: entries.map((entry, index) => ({ name: `e${index}`, ...entry })) }),
  ]);

const found = (policy: Policy, signature: SignatureEvidence, now: number): readonly string[] =>
  codes(judge(policy, reference(), evidenceOf(signature), now).findings);

describe("the period of a trust root's entry", () => {
  it("counts from its first moment to its last, and not a millisecond longer", () => {
    const policy = under("keys", [{ pem: publicKey, ...period }]);
    const signature = signed(byKey(publicKey));
    expect(found(policy, signature, start - 1)).toEqual(["SIGNER_EXPIRED"]);
    expect(found(policy, signature, start)).toEqual([]);
    expect(found(policy, signature, end)).toEqual([]);
    expect(found(policy, signature, end + 1)).toEqual(["SIGNER_EXPIRED"]);
  });

  it("counts for certificates", () => {
    const policy = under("certificates", [{ pem: authority.pem, ...period }]);
    const signature = signed(byCertificate([authority.fingerprint]));
    expect(found(policy, signature, end)).toEqual([]);
    expect(found(policy, signature, end + 1)).toEqual(["SIGNER_EXPIRED"]);
  });

  it("counts at the proved time of signing, where there is one, whenever the review is", () => {
    const policy = under("sigstore", [{ instance: "PublicGood", ...period }]);
    const later = end + 365 * 24 * 3_600_000;
    expect(found(policy, signed(keyless(end)), later)).toEqual([]);
    expect(found(policy, signed(keyless(end + 1)), later)).toEqual(["SIGNER_EXPIRED"]);
    expect(found(policy, signed(keyless(start - 1)), start)).toEqual(["SIGNER_EXPIRED"]);
    expect(found(policy, signed(keyless(undefined)), later)).toEqual(["SIGNER_EXPIRED"]);
  });

  it("has one end only, where the other is left out", () => {
    const signature = signed(byKey(publicKey));
    const { notBefore, notAfter } = period;
    expect(found(under("keys", [{ pem: publicKey, notBefore }]), signature, end + 1)).toEqual([]);
    expect(found(under("keys", [{ pem: publicKey, notBefore }]), signature, start - 1)).toEqual([
      "SIGNER_EXPIRED",
    ]);
    expect(found(under("keys", [{ pem: publicKey, notAfter }]), signature, start - 1)).toEqual([]);
    expect(found(under("keys", [{ pem: publicKey }]), signature, end + 1)).toEqual([]);
  });

  it("is said in the finding, and nobody reaches a grade by it", () => {
    const policy = under("keys", [{ pem: publicKey, ...period }]);
    const { findings, grades } = judge(policy, reference(), evidenceOf(signed(byKey(publicKey))), end + 1);
    expect(findings.map(({ message }) => message)).toEqual([
      expect.stringMatching(
        /^signed by the key [0-9a-f]{16}…, but the trust root trusts this signer from 2026-06-01T00:00:00Z to 2026-12-31T00:00:00Z only, and not now$/,
      ),
    ]);
    expect(grades.authorship).toBe("ABSENT");
    expect(judge(policy, reference(), evidenceOf(signed(byKey(publicKey))), end).grades.authorship).toBe(
      "STRONG",
    );
  });

  it("says to wait where it is yet to begin, and to sign anew where it is over or the proved time lies before it", () => {
    const remedy = (policy: Policy, signature: SignatureEvidence, now: number) =>
      remedyFor(judge(policy, reference(), evidenceOf(signature), now).findings);
    const byKeys = under("keys", [{ pem: publicKey, ...period }]);
    expect(remedy(byKeys, signed(byKey(publicKey)), start - 1)).toBe(
      "wait until the trust root trusts the signer, or have the skill signed with a key or certificate that is valid now",
    );
    const logged = under("sigstore", [{ instance: "PublicGood", ...period }]);
    const anew = reasonTexts.SIGNER_EXPIRED.remedy;
    expect(remedy(byKeys, signed(byKey(publicKey)), end + 1)).toBe(anew);
    expect(remedy(logged, signed(keyless(start - 1)), start - 1)).toBe(anew);
  });

  it("stands beside what was changed", () => {
    const policy = under("keys", [{ pem: publicKey, ...period }]);
    const changed = tampered([{ path: "a", change: "added" }], byKey(publicKey));
    expect(found(policy, changed, end + 1)).toEqual(["FILE_UNSIGNED a", "SIGNER_EXPIRED"]);
  });

  it("is that of the entry which the publisher names, though another entry or policy trusts the same key", () => {
    const entries = [{ pem: publicKey, ...period }, { pem: publicKey }];
    const signature = signed(byKey(publicKey));
    expect(found(under("keys", entries, "e0"), signature, end + 1)).toEqual(["SIGNER_EXPIRED"]);
    expect(found(under("keys", entries, "e1"), signature, end + 1)).toEqual([]);
    expect(found(under("keys", entries), signature, end + 1)).toEqual([]);
    const { policies } = compileObjects(
      [policyObject({ publishers: [publisherOf("keys")] }), policyObject({ publishers }, "q")],
      [rootObject({ keys: [{ name: "k", pem: publicKey, ...period }] })],
    );
    expect(policies.map((policy) => found(policy, signature, end + 1))).toEqual([["SIGNER_EXPIRED"], []]);
  });
});

describe("rotation", () => {
  it("goes over without a gap: old and new overlap, then the old one ends", () => {
    const policy = under("keys", [
      { pem: publicKey, notAfter: "2026-12-31T00:00:00Z" },
      { pem: otherKey, notBefore: "2026-12-01T00:00:00Z" },
    ]);
    const at = (time: string): readonly (readonly string[])[] =>
      [publicKey, otherKey].map((pem) => found(policy, signed(byKey(pem)), Date.parse(time)));
    expect(at("2026-11-30T00:00:00Z")).toEqual([[], ["SIGNER_EXPIRED"]]);
    expect(at("2026-12-15T00:00:00Z")).toEqual([[], []]);
    expect(at("2027-01-01T00:00:00Z")).toEqual([["SIGNER_EXPIRED"], []]);
  });

  it("takes the signature of the new key, where the skill carries both", () => {
    const policy = under("keys", [{ pem: publicKey, notAfter: "2026-12-31T00:00:00Z" }, { pem: otherKey }]);
    const evidence = { ...evidenceOf(signed(byKey(publicKey))), others: [signed(byKey(otherKey))] };
    expect(codes(judge(policy, reference(), evidence, end + 1).findings)).toEqual([]);
  });
});

describe("expiries", () => {
  it("tells when each entry ends: by its period, by its certificate, whichever is first", () => {
    const roots = [
      rootObject({
        certificates: [
          { name: "by-period", pem: authority.pem, notAfter: period.notAfter },
          { name: "by-certificate", pem: authority.pem },
        ],
        keys: [
          { name: "bounded", pem: publicKey, ...period },
          { name: "endless", pem: otherKey },
        ],
        sigstore: [{ name: "public", instance: "PublicGood", notAfter: period.notAfter }],
        vett: [
          {
            name: "registry",
            sigstore: "public",
            keys: [
              { hint: "old", pem: publicKey, ...period },
              { hint: "new", pem: otherKey, notBefore: period.notBefore },
            ],
          },
        ],
      }),
    ];
    const { expiries } = compileObjects([], roots);
    expect(expiries).toEqual([
      { name: "r/by-period", notAfter: end, kind: "authority" },
      { name: "r/by-certificate", notAfter: authority.certificate.validToDate.getTime(), kind: "authority" },
      { name: "r/bounded", notAfter: end, kind: "key" },
      { name: "r/public", notAfter: end, kind: "verifiable-after" },
      { name: "r/registry", notAfter: end, kind: "verifiable-after" },
      // The new key has no end of its own, but its log's entry has.
      { name: "r/registry", notAfter: end, kind: "verifiable-after" },
    ]);
  });

  it("tells the end of certificates in a policy itself", () => {
    const policy = policyObject({ publishers: [{ name: "ca", certificate: { pem: authority.pem } }] });
    expect(compileObjects([policy], []).expiries).toEqual([
      {
        name: "ClusterSkillPolicy/p/ca",
        notAfter: authority.certificate.validToDate.getTime(),
        kind: "authority",
      },
    ]);
  });
});
