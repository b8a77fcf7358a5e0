import { isCovered } from "../../evidence/covered.ts";
import type { Evidence } from "../../evidence/evidence.ts";
import type { SkillReference } from "../../skill/reference.ts";
import type { Finding } from "../finding.ts";
import { globMatches } from "../../text/glob.ts";
import type { Policy } from "../policy.ts";

const quoted = (name: string): string => JSON.stringify(name.slice(0, 80));

/** The name in SKILL.md where it is another one; in words only, unless it is signed: messages quote no other content. */
function inSkillFile({ name }: SkillReference, evidence: Evidence | undefined): string {
  const frontmatter = evidence?.card.frontmatter;
  if (evidence === undefined || frontmatter?.name === name) return "";
  if (frontmatter?.name === undefined) return " without a readable name in SKILL.md";
  return isCovered(evidence.signature, frontmatter.path)
    ? `, in SKILL.md ${quoted(frontmatter.name)}`
    : " with another name in SKILL.md";
}

/**
 * Reports a skill that no entry of `skills` admits. One entry must match the folder's name, the name in SKILL.md
 * (an agent may use either) and the kind of every volume that adds to the skill. An unreadable name may be any. On
 * the command line only names are compared: a folder has no volume.
 */
export function nameFindings(
  policy: Policy,
  reference: SkillReference,
  evidence: Evidence | undefined,
): readonly Finding[] {
  if (policy.skills.length === 0 || policy.noMatch === "Allow") return [];
  const declared = evidence?.card.frontmatter?.name;
  const names = [...new Set([reference.name, ...(declared === undefined ? [] : [declared])])];
  const kinds = [...new Set(reference.sources.map(({ kind }) => kind))].filter(
    (kind) => kind !== "Directory",
  );
  const matches =
    (evidence === undefined || declared !== undefined) &&
    policy.skills.some(
      (rule) =>
        names.every((name) => rule.names.some((pattern) => globMatches(pattern, name))) &&
        kinds.every((kind) => rule.sources.includes(kind)),
    );
  if (matches) return [];
  const what = `${quoted(reference.name)}${inSkillFile(reference, evidence)}`;
  const from = kinds.length === 0 ? "" : ` from ${kinds.join(" and ")}`;
  return [
    {
      code: "SKILL_NOT_ALLOWED",
      message: `no entry of the policy's skills allows ${what}${from}`,
      tolerated: policy.noMatch === "Warn",
    },
  ];
}
