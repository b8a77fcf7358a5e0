import { defined } from "../../text/fields.ts";
import type { SkillReference } from "../../skill/reference.ts";
import type { Finding } from "../finding.ts";

/** Reports a change that running containers would take piece by piece. No policy tolerates it: the outcome is unknown. */
export function changeFindings({ obstacle, expectedChange }: SkillReference): readonly Finding[] {
  if (obstacle === undefined) return [];
  const remedy = expectedChange === undefined ? undefined : "try again when the change is stored";
  return [{ code: "CHANGED_IN_PLACE", message: obstacle, ...defined({ remedy }), tolerated: false }];
}
