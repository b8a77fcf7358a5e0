import { effectivePolicies, type EffectivePolicies, type ReviewContext } from "../evaluation/evaluate.ts";
import type { Policy } from "../policy/policy.ts";
import type { Lenient } from "./decision.ts";

/** A review whose failure refuses only where a policy enforces. */
export interface ModalContext extends ReviewContext {
  /** Takes note of the mode that lets the object in if the review fails; undefined: none does. */
  readonly letInBy: (mode: Lenient | undefined) => void;
}

/**
 * The mode that lets in what could not be judged: Warn and Audit refuse nothing, whatever the reason.
 * @param isPod false: what makes pods, which is refused only where a policy says so
 * @returns undefined if a policy enforces
 */
export function lenientOf(policies: readonly Policy[], isPod = true): Lenient | undefined {
  const refuses = ({ mode, controllers }: Policy): boolean =>
    mode === "Enforce" && (isPod || controllers === "Enforce");
  if (policies.some(refuses)) return undefined;
  return policies.every(({ mode }) => mode === "Audit") ? "Audit" : "Warn";
}

const all = (policies: readonly Policy[]): readonly Policy[] => policies;

/**
 * Selects the policies that govern an object, and takes note of what their modes say of a failed review.
 * @param concerned those among all that have a say in it
 * @throws SourceError if the namespace cannot be looked up; only where no policy at all enforces that is let in
 */
export async function governing(
  namespace: string,
  context: ModalContext,
  isPod = true,
  concerned = all,
): Promise<EffectivePolicies> {
  context.letInBy(lenientOf(concerned(context.deps.policies.current().policies), isPod));
  const effective = await effectivePolicies(namespace, context);
  const policies = concerned(effective.policies);
  context.letInBy(lenientOf(policies, isPod));
  return { ...effective, policies };
}
