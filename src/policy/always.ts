import { shortWords } from "../text/short-words.ts";
import type { Policy } from "./policy.ts";

const prefix = "SkillRevocationList/";

/** Name under which a list with `enforcement: Always` judges: no ClusterSkillPolicy can have it. */
export const alwaysName = (list: string): string => `${prefix}${list}`;

/** The resource behind the name of a verdict's policy. */
export const resourceOf = (
  policy: string,
): { readonly kind: "ClusterSkillPolicy" | "SkillRevocationList"; readonly name: string } =>
  policy.startsWith(prefix)
    ? { kind: "SkillRevocationList", name: policy.slice(prefix.length) }
    : { kind: "ClusterSkillPolicy", name: policy };

/**
 * Names who judged, for people: `policy "payments"`, `SkillRevocationList "org-revoked"`.
 * @param limit characters of the name
 */
export function judgeText(policy: string, limit = Infinity): string {
  const { kind, name } = resourceOf(policy);
  const noun = kind === "ClusterSkillPolicy" ? "policy" : kind;
  return `${noun} ${shortWords(JSON.stringify(name), limit)}`;
}

/** The policies without the lists that are enforced always. */
export const withoutLists = (policies: readonly Policy[]): readonly Policy[] =>
  policies.filter(({ always }) => always === undefined);
