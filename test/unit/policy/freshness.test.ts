import { describe, expect, it } from "vitest";
import type { Evidence } from "../../../src/evidence/evidence.ts";
import { judge } from "../../../src/policy/judge.ts";
import type { Policy } from "../../../src/policy/policy.ts";
import { millisecondsOf } from "../../../src/policy/resource/schema/duration.ts";
import type { SignatureEvidence, Signer } from "../../../src/signature/signature-evidence.ts";
import { publicGoodRoot } from "../../../src/signature/sigstore/root/public-good-root.ts";
import { readTrustedRoot } from "../../../src/signature/sigstore/root/trusted-root.ts";
import {
  codes,
  evidenceOf,
  now,
  policyOf,
  reference,
  rootObject,
  signed,
  tampered,
  unsigned,
} from "./builders.ts";
import { publishers } from "./resource-cases.ts";

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
    // Clocks differ a little. A time that is yet to come would make a signature young for longer than it is.
    expect(found(policy, signed(signedAt(now + hour / 12)))).toEqual([]);
    expect(found(policy, signed(signedAt(now + hour / 12 + 1)))).toEqual(["SIGNING_TIME_UNKNOWN"]);
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

describe("evidence.freshness", () => {
  const asking = (freshness: "MEDIUM" | "WEAK", maxSignatureAge?: string): Policy =>
    policyOf(
      {
        publishers: [keyless, ...publishers],
        evidence: { freshness },
        ...(maxSignatureAge === undefined ? {} : { freshness: { maxSignatureAge } }),
      },
      roots,
    );
  const resultOf = (policy: Policy, signature: SignatureEvidence) =>
    judge(policy, reference(), evidenceOf(signature), now);

  it("takes for MEDIUM a proved time of any age, and none that nobody proves", () => {
    expect(found(asking("MEDIUM"), signed(signedAt(0)))).toEqual([]);
    const { findings, grades } = resultOf(asking("MEDIUM"), signed());
    expect(findings).toEqual([
      {
        code: "GRADE_BELOW_MINIMUM",
        layer: "freshness",
        message:
          "freshness is WEAK, and evidence.freshness of the policy demands MEDIUM: no log or timestamp authority says when it was signed",
        tolerated: false,
      },
    ]);
    expect(grades.freshness).toBe("WEAK");
  });

  it("takes for WEAK what nobody dates, and nothing that has expired", () => {
    expect(found(asking("WEAK"), signed())).toEqual([]);
    const expired: SignatureEvidence = { ...signed(), expires: now - 1 } as SignatureEvidence;
    expect(found(asking("WEAK"), expired)).toEqual(["EXPIRED", "GRADE_BELOW_MINIMUM"]);
    expect(resultOf(asking("WEAK"), expired).grades.freshness).toBe("ABSENT");
    expect(found(asking("WEAK"), { ...expired, expires: now } as SignatureEvidence)).toEqual([]);
  });

  it("is ABSENT beyond the policy's own limit, and MEDIUM to one that sets none", () => {
    const old = signed(signedAt(now - 2 * hour));
    expect(resultOf(asking("MEDIUM", "1h"), old).grades.freshness).toBe("ABSENT");
    expect(found(asking("MEDIUM", "1h"), old)).toEqual(["EXPIRED", "GRADE_BELOW_MINIMUM"]);
    expect(resultOf(asking("MEDIUM"), old).grades.freshness).toBe("MEDIUM");
    expect(found(asking("MEDIUM", "2h"), old)).toEqual([]);
  });

  it("says of a time that nobody proves both what the limit and what the grade want", () => {
    expect(found(asking("MEDIUM", "1h"), signed())).toEqual(["SIGNING_TIME_UNKNOWN", "GRADE_BELOW_MINIMUM"]);
    // The limit asks for a proved time by itself.
    expect(found(asking("WEAK", "1h"), signed())).toEqual(["SIGNING_TIME_UNKNOWN"]);
  });

  it("is ABSENT where the publisher is outside its period, and where a list revokes the skill", () => {
    const period = { notAfter: "2026-01-01T00:00:00Z" };
    const ended = policyOf({ publishers: [keyless], evidence: { freshness: "WEAK" } }, [
      rootObject({ sigstore: [{ name: "public", instance: "PublicGood", ...period }] }),
    ]);
    expect(resultOf(ended, signed(signedAt(now))).grades.freshness).toBe("ABSENT");
    expect(resultOf(ended, signed(signedAt(0))).grades.freshness).toBe("MEDIUM");
    const revoking = policyOf({ revocation: { digests: [`sha256:${"0".repeat(64)}`] } });
    expect(resultOf(revoking, signed())).toMatchObject({
      grades: { freshness: "ABSENT", integrity: "STRONG" },
      findings: [{ code: "REVOKED" }],
    });
  });

  it("takes of two publishers' signatures the one that is fresh enough, where it is asked for", () => {
    const dated = signed(signedAt(now - hour));
    const both = (...[signature, ...others]: [SignatureEvidence, SignatureEvidence]): Evidence => ({
      ...evidenceOf(signature),
      others,
    });
    for (const evidence of [both(signed(), dated), both(dated, signed())]) {
      const asked = judge(asking("MEDIUM"), reference(), evidence, now);
      expect(asked.findings).toEqual([]);
      expect(asked.evidence?.signature).toBe(dated);
      expect(judge(asking("WEAK"), reference(), evidence, now).evidence?.signature).toBe(evidence.signature);
      expect(codes(judge(asking("MEDIUM", "30m"), reference(), evidence, now).findings)).not.toEqual([]);
      expect(judge(asking("WEAK", "1h"), reference(), evidence, now).findings).toEqual([]);
    }
  });

  it("asks nothing of what is refused for its signature", () => {
    expect(found(asking("MEDIUM"), unsigned)).toEqual(["UNSIGNED"]);
    expect(found(asking("MEDIUM"), tampered([{ path: "a", change: "added" }]))).toEqual(["FILE_UNSIGNED a"]);
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
