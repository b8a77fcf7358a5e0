import type { Evidence } from "../evidence/evidence.ts";
import type { Grades, Layer } from "../evidence/grade.ts";
import type { SkillReference } from "../skill/reference.ts";
import type { Reason } from "./reason.ts";

/** One requirement of a policy that the evidence does not meet. */
export interface Finding {
  readonly code: Reason;
  /** Description in one line, without the code. */
  readonly message: string;
  /** File of the skill that the finding concerns. */
  readonly path?: string;
  /** Path of the signature that reports it, if it is not the one that counts. */
  readonly by?: string;
  /** Remedy if the reason's own would not help: one clause in the imperative. */
  readonly remedy?: string;
  /** Signed and found digests of a changed file. */
  readonly signed?: string;
  readonly found?: string;
  /** Marks of the entries of revocation lists that it is about, for REVOKED. */
  readonly entries?: readonly string[];
  /** Layer with the low grade, for GRADE_BELOW_MINIMUM. */
  readonly layer?: Layer;
  /** True: the policy only warns about it (`unverifiable: Warn`, `unsigned: Warn`). */
  readonly tolerated: boolean;
}

/** Findings of one review that its record in the log has at most; the others are counted there. */
export const maxRecorded = 50;

/** Whether a finding fails the skill; a tolerated one is only reported. */
export const blocks = (finding: Finding): boolean => !finding.tolerated;

/** When a policy ceases to accept a skill that it accepts now. */
export interface AcceptanceEnd {
  /** Milliseconds since 1970. */
  readonly at: number;
  /** Description in one line, with the days that are left. */
  readonly message: string;
}

/** Result of one policy for one skill. */
export interface SkillResult {
  readonly reference: SkillReference;
  /** Absent if the content could not be read. */
  readonly evidence?: Evidence;
  readonly grades: Grades;
  readonly findings: readonly Finding[];
  /** Of a skill without findings: absent if it ends later than in a month. */
  readonly ends?: AcceptanceEnd;
}

export type Mode = "Enforce" | "Warn" | "Audit";

/** Result of one policy for one object: `deny` only in mode Enforce. */
export interface Verdict {
  readonly policy: string;
  /** The policy's generation; absent in files. */
  readonly generation?: number;
  readonly tenant: string;
  readonly mode: Mode;
  readonly outcome: "allow" | "warn" | "deny";
  readonly skills: readonly SkillResult[];
}
