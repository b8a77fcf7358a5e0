import { defined } from "../text/fields.ts";
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
 * Joins one policy's results for an object's skills. Only mode Enforce denies, and controllers of pods
 * (Deployments, …) only if the policy says so; their pods are judged in any case.
 */
export const verdictOf = (
  policy: Policy,
  results: readonly SkillResult[],
  { isPod }: { readonly isPod: boolean },
): Verdict => ({
  policy: policy.name,
  ...defined({ generation: policy.generation }),
  tenant: policy.tenant,
  mode: policy.mode,
  outcome: outcomeOf(policy, results, isPod),
  skills: results,
});
