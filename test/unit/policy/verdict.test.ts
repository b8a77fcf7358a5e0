import { describe, expect, it } from "vitest";
import type { SkillResult } from "../../../src/policy/finding.ts";
import { judge } from "../../../src/policy/judge.ts";
import { verdictOf } from "../../../src/policy/verdict.ts";
import { evidenceOf, now, policyOf, reference, signed, unsigned } from "./builders.ts";

const passed = (): SkillResult => judge(policyOf(), reference(), evidenceOf(signed()), now);
const failed = (): SkillResult => judge(policyOf(), reference(), evidenceOf(unsigned), now);
const tolerated = (): SkillResult =>
  judge(policyOf({ unsigned: { action: "Warn" } }), reference(), evidenceOf(unsigned), now);

const outcome = (spec: object, results: readonly SkillResult[], isPod = true): string =>
  verdictOf(policyOf({ ...spec }), results, { isPod }).outcome;

describe("verdictOf", () => {
  it("allows, when no skill has a finding, in every mode", () => {
    for (const mode of ["Enforce", "Warn", "Audit"]) {
      expect(outcome({ mode }, [passed(), passed()])).toBe("allow");
      expect(outcome({ mode }, [])).toBe("allow");
    }
  });

  it("denies in Enforce, warns in Warn, and only reports in Audit, when one skill fails", () => {
    const results = [passed(), failed()];
    expect(outcome({ mode: "Enforce" }, results)).toBe("deny");
    expect(outcome({ mode: "Warn" }, results)).toBe("warn");
    expect(outcome({ mode: "Audit" }, results)).toBe("allow");
  });

  it("warns, when everything found is tolerated, except in Audit", () => {
    const results = [passed(), tolerated()];
    expect(outcome({ mode: "Enforce" }, results)).toBe("warn");
    expect(outcome({ mode: "Warn" }, results)).toBe("warn");
    expect(outcome({ mode: "Audit" }, results)).toBe("allow");
  });

  it("denies, when one finding is tolerated and another is not", () => {
    expect(outcome({}, [tolerated(), failed()])).toBe("deny");
  });

  it("only warns about makers of pods, unless the policy says otherwise", () => {
    expect(outcome({}, [failed()], false)).toBe("warn");
    expect(outcome({ controllers: "Warn" }, [failed()], false)).toBe("warn");
    expect(outcome({ controllers: "Enforce" }, [failed()], false)).toBe("deny");
    expect(outcome({ controllers: "Enforce", mode: "Warn" }, [failed()], false)).toBe("warn");
  });

  it("carries policy, tenant, mode and every skill", () => {
    const results = [passed(), failed()];
    expect(verdictOf(policyOf({ tenant: "t" }), results, { isPod: true })).toMatchObject({
      policy: "p",
      tenant: "t",
      mode: "Enforce",
      skills: results,
    });
    expect(verdictOf(policyOf(), results, { isPod: true }).tenant).toBe("p");
  });
});
