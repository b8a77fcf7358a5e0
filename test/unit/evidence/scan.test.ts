import { describe, expect, it } from "vitest";
import { assess } from "../../../src/evaluation/assess.ts";
import { gradeScan } from "../../../src/evidence/scan.ts";
import type { TrustMaterial } from "../../../src/signature/trust-material.ts";
import type { Skill } from "../../../src/skill/skill.ts";
import { trustOf } from "../../fixtures/certificates.ts";
import { signedSkill, skillFiles, withFiles } from "../../fixtures/signed-skill.ts";
import { analysis, vettSkill } from "../../fixtures/vett-skill.ts";

const path = "vett.analysis.json";
const text = JSON.stringify(analysis);
const { skill, trust } = await vettSkill();

const graded = (subject: Skill, trusted: TrustMaterial, now: number) => {
  const { scan, signature } = assess({ skill: subject }, trusted, now);
  return { outcome: signature.outcome, grade: gradeScan(scan, signature) };
};

describe("gradeScan", () => {
  it("is WEAK for an analysis that lies beside the signed files: nobody signed it", () => {
    expect(graded(withFiles(skill, { [path]: text }), trust, 0)).toEqual({
      outcome: "signed",
      grade: "WEAK",
    });
    expect(graded(withFiles(skill, { [path]: text }), trustOf({}), 0).grade).toBe("WEAK");
  });

  it("is MEDIUM where a trusted signer signed the analysis with the files, and they are all there", () => {
    const own = signedSkill({ files: { ...skillFiles("data-designer"), [path]: text } });
    expect(graded(own.skill, own.trust, 0)).toEqual({ outcome: "signed", grade: "MEDIUM" });
    expect(graded(own.skill, trustOf({}), 0).grade).toBe("WEAK");
    expect(graded(withFiles(own.skill, { "SKILL.md": "x" }), own.trust, 0).grade).toBe("WEAK");
  });

  it("is ABSENT without an analysis, and for one that cannot be read", () => {
    expect(graded(skill, trust, 0).grade).toBe("ABSENT");
    expect(graded(withFiles(skill, { [path]: "{}" }), trust, 0).grade).toBe("ABSENT");
  });
});
