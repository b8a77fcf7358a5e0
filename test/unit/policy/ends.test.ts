import { describe, expect, it } from "vitest";
import { compileObjects } from "../../fixtures/compile.ts";
import { judge } from "../../../src/policy/judge.ts";
import type { Policy } from "../../../src/policy/policy.ts";
import type { SignatureEvidence, Signer } from "../../../src/signature/signature-evidence.ts";
import { publicGoodRoot } from "../../../src/signature/sigstore/root/public-good-root.ts";
import { readTrustedRoot } from "../../../src/signature/sigstore/root/trusted-root.ts";
import { issueAuthority } from "../../fixtures/certificates.ts";
import {
  evidenceOf,
  now,
  policyObject,
  policyOf,
  reference,
  rootObject,
  signed,
  unsigned,
} from "./builders.ts";
import { publicKey, publishers, type Spec } from "./resource-cases.ts";

const hour = 3_600_000;
const day = 24 * hour;
const at = (time: number): string => new Date(time).toISOString().replace(".000", "");

/** What a policy says of the end of a signature at a moment. */
const endOf = (
  policy: Policy,
  signature: SignatureEvidence,
  time = now,
  others: readonly SignatureEvidence[] = [],
) => judge(policy, reference(), { ...evidenceOf(signature), others }, time).ends;

const rooted = (entry: Spec, publisher: Spec, more: Spec = {}): Policy =>
  policyOf({ publishers: [{ name: "p", ...publisher }], ...more }, [rootObject(entry)]);
const byEntry = (notAfter?: string): Policy =>
  rooted(
    { keys: [{ name: "k", pem: publicKey, ...(notAfter === undefined ? {} : { notAfter }) }] },
    { publicKey: { trustRootRef: { name: "r" } } },
  );

const keyless = (signedAt: number): Signer => ({
  kind: "keyless",
  identity: "me@example.com",
  issuer: "https://issuer.example.com",
  claims: {},
  fingerprint: "c1".repeat(32),
  publicKey: "c2".repeat(32),
  roots: [readTrustedRoot(publicGoodRoot, []).fingerprint],
  signedAt,
});
const ci = (entry: Spec = {}, more: Spec = {}): Policy =>
  rooted(
    { sigstore: [{ name: "s", instance: "PublicGood", ...entry }] },
    {
      keyless: {
        trustRootRef: { name: "r" },
        issuer: "https://issuer.example.com",
        identity: "me@example.com",
      },
    },
    more,
  );

describe("the end of a signature that a policy accepts", () => {
  it("is told from a month before the trust root's entry ends, with the days that are left", () => {
    const end = now + 30 * day;
    const policy = byEntry(at(end));
    expect(endOf(policy, signed())).toEqual({
      at: end,
      message:
        "its signature counts until 2026-10-31T00:00:00Z, in 30 days: the trust root trusts its signer no longer",
    });
    expect(endOf(policy, signed(), now - 1)).toBeUndefined();
    expect(endOf(policy, signed(), end - hour)?.message).toContain("2026-10-31T00:00:00Z, in 1 hour:");
    expect(endOf(policy, signed(), end + 1)).toBeUndefined();
  });

  it("is none where the entry has none, and another entry with the same key goes on", () => {
    expect(endOf(byEntry(), signed())).toBeUndefined();
    const keys = [
      { name: "a", pem: publicKey, notAfter: at(now + day) },
      { name: "b", pem: publicKey },
    ];
    const policy = rooted({ keys }, { publicKey: { trustRootRef: { name: "r" } } });
    expect(endOf(policy, signed())).toBeUndefined();
  });

  it("is that of the certificates of its signer", async () => {
    const authority = await issueAuthority({ notAfter: 4_000 });
    const policy = rooted(
      { certificates: [{ name: "ca", pem: authority.pem }] },
      { certificate: { trustRootRef: { name: "r" } } },
    );
    const leaf = (notAfter: number): Signer => ({
      kind: "certificate",
      subject: "CN=Leaf",
      attributes: { CN: ["Leaf"] },
      fingerprint: "d1".repeat(32),
      publicKey: "d2".repeat(32),
      anchors: [authority.fingerprint],
      notAfter,
    });
    expect(endOf(policy, signed(leaf(now + 5 * day)))?.message).toBe(
      "its signature counts until 2026-10-06T00:00:00Z, in 5 days: the certificates of its signer end",
    );
    expect(endOf(policy, signed(leaf(now + 31 * day)))).toBeUndefined();
  });

  it("is that of the policy's limit to its age, and not that of an entry where the time is proved", () => {
    const limited = ci({}, { freshness: { maxSignatureAge: "720h" } });
    expect(endOf(limited, signed(keyless(now - 28 * day)))?.message).toBe(
      "its signature counts until 2026-10-03T00:00:00Z, in 2 days: the policy takes signatures of at most 720h",
    );
    expect(endOf(ci({ notAfter: at(now + day) }), signed(keyless(now - day)))).toBeUndefined();
  });

  it("is that of a card's day", () => {
    const signature = { ...signed(), expires: now + 3 * day } as SignatureEvidence;
    expect(endOf(policyOf(), signature)).toMatchObject({ at: now + 3 * day });
  });

  it("is the last one, of several publishers' signatures", () => {
    const pair = (days: number): SignatureEvidence =>
      ({ ...signed(), expires: now + days * day }) as SignatureEvidence;
    expect(endOf(policyOf(), pair(3), now, [pair(9)])).toMatchObject({ at: now + 9 * day });
    expect(endOf(policyOf(), pair(3), now, [signed()])).toBeUndefined();
  });

  it("is not told of what fails already", () => {
    const signature = { ...signed(), expires: now + 3 * day } as SignatureEvidence;
    expect(endOf(policyOf({ skills: [{ names: ["other"] }] }), signature)).toBeUndefined();
    expect(endOf(policyOf(), unsigned)).toBeUndefined();
  });
});

describe("unsigned.until", () => {
  const policy = policyOf({ unsigned: { action: "Warn", until: "2026-10-11T00:00:00Z" } });
  const said = (time: number) =>
    judge(policy, reference(), evidenceOf(unsigned), time).findings.map(({ message, tolerated }) => [
      tolerated,
      message,
    ]);

  it("is in the warning before the day, with the days that are left, and in the denial after it", () => {
    expect(said(now)).toEqual([
      [true, "there is no signature, which the policy tolerates until 2026-10-11T00:00:00Z, in 10 days"],
    ]);
    expect(said(now + 9 * day + 1)[0]?.[1]).toMatch(/ until 2026-10-11T00:00:00Z, in 23 hours$/);
    expect(said(now + 10 * day - 1)[0]).toEqual([
      true,
      "there is no signature, which the policy tolerates until 2026-10-11T00:00:00Z, in less than an hour",
    ]);
    expect(said(now + 10 * day)).toEqual([
      [false, "there is no signature, which the policy tolerated until 2026-10-11T00:00:00Z"],
    ]);
  });

  it("is among what ends, by the policy's name", () => {
    const until = "2026-10-11T00:00:00Z";
    const { expiries } = compileObjects([policyObject({ publishers, unsigned: { action: "Warn", until } })]);
    expect(expiries).toEqual([
      { name: "ClusterSkillPolicy/p/unsigned.until", notAfter: Date.parse(until), kind: "unsigned" },
    ]);
    expect(compileObjects([policyObject({ unsigned: { action: "Warn" } })]).expiries).toEqual([]);
  });
});
