import type { Evidence } from "../evidence/evidence.ts";
import type { Verdict } from "../policy/finding.ts";
import { judge } from "../policy/judge.ts";
import type { Policy } from "../policy/policy.ts";
import { verdictOf } from "../policy/verdict.ts";
import type { SkillReference } from "../skill/reference.ts";

/** A skill with its evidence; undefined if its bytes could not be read. */
export interface AssessedSkill {
  readonly reference: SkillReference;
  readonly evidence: Evidence | undefined;
}

/**
 * Judges each skill of an object by each policy: the one place where evidence meets policies.
 * @param now milliseconds since 1970
 */
export const verdictsOn = (
  skills: readonly AssessedSkill[],
  policies: readonly Policy[],
  subject: { readonly isPod: boolean },
  now: number,
): readonly Verdict[] =>
  policies.map((policy) =>
    verdictOf(
      policy,
      skills.map(({ reference, evidence }) => judge(policy, reference, evidence, now)),
      subject,
    ),
  );
