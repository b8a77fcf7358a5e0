import type { Evidence } from "../evidence/evidence.ts";
import type { Grades, Layer } from "../evidence/grade.ts";
import type { SkillReference } from "../skill/reference.ts";
import type { Reason } from "./reason.ts";

/** One requirement of a policy that the evidence does not meet. */
export interface Finding {
  readonly code: Reason;
  /** What was found, in one line without the code. */
  readonly message: string;
  /** File inside the skill that the finding is about. */
  readonly path?: string;
  /** Path of the signature that says so, where it is one beside the one that counts. */
  readonly by?: string;
  /** What to do, where the reason's own remedy would not help; a clause in the imperative. */
  readonly remedy?: string;
  /** Signed and found digests, for a changed file. */
  readonly signed?: string;
  readonly found?: string;
  /** The layer whose grade is too low, for that reason. */
  readonly layer?: Layer;
  /** Does the policy only want to be told (`unverifiable: Warn`, `unsigned: Warn`). */
  readonly tolerated: boolean;
}

/** What one policy says of one skill. */
export interface SkillResult {
  readonly reference: SkillReference;
  /** Absent where the bytes could not be had. */
  readonly evidence?: Evidence;
  readonly grades: Grades;
  readonly findings: readonly Finding[];
}

export type Mode = "Enforce" | "Warn" | "Audit";

/** What one policy says of one object: `deny` only in mode Enforce. */
export interface Verdict {
  readonly policy: string;
  readonly tenant: string;
  readonly mode: Mode;
  readonly outcome: "allow" | "warn" | "deny";
  readonly skills: readonly SkillResult[];
}
