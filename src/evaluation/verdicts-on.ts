import type { Evidence } from "../evidence/evidence.ts";
import type { SkillResult, Verdict } from "../policy/finding.ts";
import { judge } from "../policy/judge.ts";
import type { Policy } from "../policy/policy.ts";
import { verdictOf } from "../policy/verdict.ts";
import type { SkillReference } from "../skill/reference.ts";

/** A skill with its evidence; undefined if its bytes could not be read. */
export interface AssessedSkill {
  readonly reference: SkillReference;
  readonly evidence: Evidence | undefined;
}

/** The object whose skills are judged. */
export interface JudgedObject {
  readonly isPod: boolean;
  /**
   * Whether no container starts by it: a dry run, or something whose pods are judged when they come. An object that it
   * names and that does not exist may come until then.
   */
  readonly startsNothing?: boolean;
}

/**
 * Judges each skill of an object by each policy: the one place where evidence meets policies.
 * @param now milliseconds since 1970
 */
export const verdictsOn = (
  skills: readonly AssessedSkill[],
  policies: readonly Policy[],
  subject: JudgedObject,
  now: number,
): readonly Verdict[] => {
  const judged = subject.startsNothing === true ? withoutRestsOfAbsent(skills) : skills;
  const response = subject.startsNothing === true ? toleratingAbsence : same;
  return policies.map((policy) =>
    verdictOf(
      policy,
      judged.map(({ reference, evidence }) => response(judge(policy, reference, evidence, now), policy)),
      subject,
    ),
  );
};

const isAbsent = ({ content }: SkillReference): boolean =>
  content.state === "unavailable" && content.isAbsent === true;

/** Leaves out what is there of a skill of which a part may come later: without it, it is another skill. */
function withoutRestsOfAbsent(skills: readonly AssessedSkill[]): readonly AssessedSkill[] {
  const placesOf = ({ path, containers }: SkillReference): readonly string[] =>
    containers.map((container) => JSON.stringify([container, path]));
  const awaited = new Set(
    skills.flatMap(({ reference }) => (isAbsent(reference) ? placesOf(reference) : [])),
  );
  return skills.filter(
    ({ reference }) =>
      reference.content.state !== "resolved" || !placesOf(reference).some((place) => awaited.has(place)),
  );
}

const same = (result: SkillResult): SkillResult => result;

/** Reports what does not exist yet, and demands nothing of it. */
function toleratingAbsence(result: SkillResult, { invalidReason, always }: Policy): SkillResult {
  const { content } = result.reference;
  if (content.state !== "unavailable" || content.isAbsent !== true) return result;
  if (invalidReason !== undefined || always !== undefined) return result;
  const message = `${content.detail} yet, so it could not be judged`;
  const remedy =
    "see that it comes before a pod starts; skill-admission apply --cluster --resource FILE judges both beforehand";
  return { ...result, findings: [{ code: content.code, message, remedy, tolerated: true }] };
}
