import type { SkillResult, Verdict } from "./finding.ts";
import type { Policy } from "./policy.ts";

function outcomeOf(
  { mode, controllers }: Policy,
  results: readonly SkillResult[],
  isPod: boolean,
): Verdict["outcome"] {
  const findings = results.flatMap((result) => result.findings);
  if (mode === "Audit" || findings.length === 0) return "allow";
  if (mode === "Warn" || findings.every(({ tolerated }) => tolerated)) return "warn";
  return isPod || controllers === "Enforce" ? "deny" : "warn";
}

/**
 * What one policy says of one object, from what it says of its skills: deny only in mode Enforce, and of what makes
 * pods (Deployments, …) only where the policy wants that; their pods are denied in any case.
 */
export const verdictOf = (
  policy: Policy,
  results: readonly SkillResult[],
  { isPod }: { readonly isPod: boolean },
): Verdict => ({
  policy: policy.name,
  tenant: policy.tenant,
  mode: policy.mode,
  outcome: outcomeOf(policy, results, isPod),
  skills: results,
});
