import { describe, expect, it } from "vitest";

import { skillItem } from "../../../../src/cli/report/skill-item.ts";
import type { SignatureEvidence, Signer } from "../../../../src/signature/signature-evidence.ts";
import {
  evidence,
  mismatch,
  reference,
  result,
  signed,
  signer,
  tampered,
  unsigned,
  untrusted,
  verdict,
} from "./evidence.ts";

const directory = "skills/demo";
const now = Date.parse("2026-10-01T00:00:00Z");

describe("skillItem", () => {
  it("has the documented JSON shape for a skill that passes", () => {
    const item = skillItem({ directory, reference, evidence: evidence(signed), verdicts: [verdict()], now });
    expect(JSON.parse(JSON.stringify(item.document))).toEqual({
      skill: "demo",
      directory,
      digest: signed.digest,
      signature: {
        format: "oms",
        outcome: "signed",
        signer: {
          kind: "certificate",
          subject: signer.kind === "certificate" && signer.subject,
          fingerprint: "a".repeat(64),
          anchors: ["c".repeat(64)],
        },
        differences: [],
        unlisted: [".gitignore"],
      },
      grades: { integrity: "STRONG", authorship: "STRONG", freshness: "WEAK" },
      findings: [],
      outcome: "allow",
    });
    expect(item).toMatchObject({
      title: "demo",
      outcome: "allow",
      columns: ["STRONG", "STRONG", "Acme Signing 001"],
    });
    expect(item.remedy).toBeUndefined();
    expect(item.facts).toEqual(["not covered by the signature: .gitignore"]);
  });

  it("names five files that the signature leaves out, and none where there are none", () => {
    const all = (unlisted: readonly string[]): readonly string[] => {
      const one = { ...(signed as Extract<SignatureEvidence, { outcome: "signed" }>), unlisted };
      return [[], [verdict()]].flatMap(
        (verdicts) => skillItem({ directory, reference, evidence: evidence(one), verdicts, now }).facts,
      );
    };
    const fact = "not covered by the signature: a, b, c, d, e and 1 more";
    expect(all(["a", "b", "c", "d", "e", "f"])).toEqual([fact, fact]);
    expect(all([])).toEqual([]);
  });

  it("lists differences and findings of one that was changed, and where the files are", () => {
    const denied = verdict({ outcome: "deny", skills: [result({ findings: [mismatch] })] });
    const item = skillItem({ directory, reference, evidence: evidence(tampered), verdicts: [denied], now });
    expect(item.outcome).toBe("deny");
    expect(item.findings[0]).toMatchObject({ code: "DIGEST_MISMATCH", location: "skills/demo/a.md" });
    expect(item.findings[0]?.policy).toBeUndefined();
    expect(item.remedy).not.toBe("");
    expect(JSON.parse(JSON.stringify(item.document))).toMatchObject({
      signature: {
        outcome: "tampered",
        differences: [
          { path: "a.md", change: "modified" },
          { path: "b.md", change: "added" },
        ],
      },
      findings: [
        { code: "DIGEST_MISMATCH", path: "a.md", message: mismatch.message, signed: mismatch.signed },
      ],
      outcome: "deny",
    });
  });

  it("takes the lowest grade and the worst outcome of several policies, and names them", () => {
    const strict = verdict({
      policy: "strict",
      outcome: "deny",
      skills: [
        result({
          grades: { integrity: "STRONG", authorship: "MEDIUM", freshness: "MEDIUM" },
          findings: [mismatch],
        }),
      ],
    });
    const item = skillItem({
      directory,
      reference,
      evidence: evidence(signed),
      verdicts: [strict, verdict()],
      now,
    });
    expect(item.outcome).toBe("deny");
    expect(item.columns.slice(0, 2)).toEqual(["STRONG", "MEDIUM"]);
    expect(item.document).toMatchObject({
      grades: { integrity: "STRONG", authorship: "MEDIUM", freshness: "WEAK" },
    });
    expect(item.findings.map(({ policy }) => policy)).toEqual(["strict"]);
  });

  it.each<[string, SignatureEvidence, readonly string[], readonly string[]]>([
    ["signed", signed, ["MEDIUM", "MEDIUM", "WEAK"], ["not covered by the signature: .gitignore"]],
    ["unsigned", unsigned, ["ABSENT", "ABSENT", "UNVERIFIED"], ["not signed"]],
    ["untrusted", untrusted, ["UNVERIFIED", "WEAK", "UNVERIFIED"], ["signed by nobody known"]],
    [
      "tampered",
      tampered,
      ["ABSENT", "MEDIUM", "UNVERIFIED"],
      ["modified a.md: signed 33333333…, found 99999999…", "added b.md"],
    ],
  ])(
    "shows the facts of a skill that is %s when there is nothing to judge it by",
    (_name, signature, grades, facts) => {
      const item = skillItem({ directory, reference, evidence: evidence(signature), verdicts: [], now });
      expect(item.outcome).toBe("unevaluated");
      const [integrity, authorship, freshness] = grades;
      expect(item.columns.slice(0, 2)).toEqual([integrity, authorship]);
      expect(item.document).toMatchObject({ grades: { integrity, authorship, freshness } });
      expect(item.facts).toEqual(facts);
      expect(item.findings).toEqual([]);
    },
  );

  it("says why a folder could not be read, with nothing graded", () => {
    const content = { state: "unavailable", code: "SOURCE_MALFORMED", detail: "a link" } as const;
    const item = skillItem({
      directory,
      reference: { ...reference, content },
      evidence: undefined,
      verdicts: [],
      now,
    });
    expect(item.columns).toEqual(["UNVERIFIED", "UNVERIFIED", "-"]);
    expect(item.facts).toEqual(["a link"]);
    expect(item.document).toMatchObject({ signature: { outcome: "unavailable", detail: "a link" } });
  });

  it.each<[Signer, string]>([
    [{ kind: "key", publicKey: "d".repeat(64), names: ["root/release"] }, "release"],
    [{ kind: "key", publicKey: "d".repeat(64), names: [] }, "key dddddddddddd…"],
    [{ ...(signer as Extract<Signer, { kind: "certificate" }>), subject: "O=Acme" }, "O=Acme"],
  ])("names the signer shortly", (who, name) => {
    const item = skillItem({
      directory,
      reference,
      evidence: evidence({
        ...(untrusted as Extract<SignatureEvidence, { outcome: "untrusted" }>),
        signer: who,
      }),
      verdicts: [],
      now,
    });
    expect(item.columns[2]).toBe(name);
  });
});
