import { describe, expect, it } from "vitest";
import { judge } from "../../../src/policy/judge.ts";
import type { Policy } from "../../../src/policy/policy.ts";
import { millisecondsOf } from "../../../src/policy/resource/time.ts";
import type { SignatureEvidence, Signer } from "../../../src/signature/signature-evidence.ts";
import { publicGoodRoot } from "../../../src/signature/sigstore/public-good-root.ts";
import { readTrustedRoot } from "../../../src/signature/sigstore/trusted-root.ts";
import { codes, evidenceOf, now, policyOf, reference, rootObject, signed, unsigned } from "./builders.ts";

const hour = 3_600_000;
const issuer = "https://issuer.example.com";
const identity = "me@example.com";

const keyless = {
  name: "ci",
  keyless: { trustRootRef: { name: "r" }, issuer, identity },
};
const roots = [rootObject({ sigstore: [{ name: "public", instance: "PublicGood" }] })];

const signedAt = (time: number | undefined): Signer => ({
  kind: "keyless",
  identity,
  issuer,
  claims: {},
  fingerprint: "c1".repeat(32),
  publicKey: "c2".repeat(32),
  roots: [readTrustedRoot(publicGoodRoot, []).fingerprint],
  ...(time === undefined ? {} : { signedAt: time }),
});

const demanding = (maxSignatureAge?: string): Policy =>
  policyOf(
    {
      publishers: [keyless],
      ...(maxSignatureAge === undefined ? {} : { freshness: { maxSignatureAge } }),
    },
    roots,
  );

const found = (policy: Policy, signature: SignatureEvidence): readonly string[] =>
  codes(judge(policy, reference(), evidenceOf(signature), now).findings);

describe("freshness.maxSignatureAge", () => {
  it("takes a signature of exactly that age, and none that is a millisecond older", () => {
    const policy = demanding("4320h");
    expect(found(policy, signed(signedAt(now - 4320 * hour)))).toEqual([]);
    expect(found(policy, signed(signedAt(now - 4320 * hour - 1)))).toEqual(["EXPIRED"]);
    expect(found(policy, signed(signedAt(now)))).toEqual([]);
  });

  it("says when it was signed, how old that is, and what the policy demands", () => {
    const { findings } = judge(
      demanding("720h"),
      reference(),
      evidenceOf(signed(signedAt(now - 800 * hour))),
      now,
    );
    expect(findings.map(({ message }) => message)).toEqual([
      "signed at 2026-08-28T16:00:00Z, 33 days ago; the policy takes signatures of at most 720h",
    ]);
  });

  it("finds by a code of its own that nobody proved the time", () => {
    expect(found(demanding("1h"), signed(signedAt(undefined)))).toEqual(["SIGNING_TIME_UNKNOWN"]);
    expect(found(policyOf({ freshness: { maxSignatureAge: "1h" } }), signed())).toEqual([
      "SIGNING_TIME_UNKNOWN",
    ]);
  });

  it("asks nothing where the policy does not name it", () => {
    expect(found(demanding(), signed(signedAt(0)))).toEqual([]);
    expect(found(demanding(), signed(signedAt(undefined)))).toEqual([]);
  });

  it("adds nothing to what is refused for another reason, nor to unsigned skills", () => {
    expect(found(demanding("1h"), unsigned)).toEqual(["UNSIGNED"]);
  });
});

describe("millisecondsOf", () => {
  it.each([
    ["4320h", 4320 * hour],
    ["1h30m", 90 * 60_000],
    ["1h1m1s", 3_661_000],
    ["45s", 45_000],
  ])("reads %s", (text, milliseconds) => {
    expect(millisecondsOf(text)).toBe(milliseconds);
  });
});
