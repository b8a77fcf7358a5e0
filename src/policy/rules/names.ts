import type { Evidence } from "../../evidence/evidence.ts";
import type { SkillReference } from "../../skill/reference.ts";
import type { Finding } from "../finding.ts";
import { globMatches } from "../../text/glob.ts";
import type { Policy } from "../policy.ts";

const quoted = (name: string): string => JSON.stringify(name.slice(0, 80));

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
  const isNameless = evidence !== undefined && declared === undefined;
  const matches =
    !isNameless &&
    policy.skills.some(
      (rule) =>
        names.every((name) => rule.names.some((pattern) => globMatches(pattern, name))) &&
        kinds.every((kind) => rule.sources.includes(kind)),
    );
  if (matches) return [];
  const what = `${names.map(quoted).join(", in SKILL.md ")}${isNameless ? " without a readable name in SKILL.md" : ""}`;
  const from = kinds.length === 0 ? "" : ` from ${kinds.join(" and ")}`;
  return [
    {
      code: "SKILL_NOT_ALLOWED",
      message: `no entry of the policy's skills allows ${what}${from}`,
      tolerated: policy.noMatch === "Warn",
    },
  ];
}
