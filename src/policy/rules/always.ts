import type { Evidence } from "../../evidence/evidence.ts";
import type { SkillReference } from "../../skill/reference.ts";
import type { Finding } from "../finding.ts";
import type { Policy } from "../policy.ts";

/**
 * Findings of a list that is enforced always: what it revokes, and what could not be read, for that may be revoked.
 * Content that no review can ever read, such as an image's, passes, and so does an object that does not exist yet: its
 * creation is reviewed.
 */
export function alwaysFindings(
  { revoked }: Policy,
  { content }: SkillReference,
  evidence: Evidence | undefined,
): readonly Finding[] {
  if (content.state === "resolved") {
    if (evidence !== undefined) return revoked(content.skill, evidence);
    return [{ code: "INTERNAL", message: "no evidence was established", tolerated: false }];
  }
  if (content.state !== "unavailable") return [];
  if (content.code === "SOURCE_UNAVAILABLE" && content.isUnread !== true) return [];
  const message = `${content.detail}, so nobody knows whether it is revoked`;
  return [{ code: content.code, message, tolerated: false }];
}
