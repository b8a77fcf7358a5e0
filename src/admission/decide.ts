import type { Evaluation } from "../evaluation/evaluate.ts";
import { blocks, type SkillResult, type Verdict } from "../policy/finding.ts";
import { judgeText, resourceOf } from "../policy/always.ts";
import type { Reason } from "../policy/reason.ts";
import { withoutContent } from "../policy/without-content.ts";
import type { AdmissionRequest } from "./admission-request.ts";
import { sha256Hex } from "../skill/digest.ts";
import { SourceError } from "../skill/source-error.ts";
import type { Bypass, Decision, ReviewSubject } from "./decision.ts";

/** Short identifier of a decision in messages, logs and the audit log: the start of the review's uid. */
export const decisionId = (uid: string): string => uid.slice(0, 8);

/**
 * Short identifier of a refusal: equal for all attempts that are refused for the same, so that their Events count up.
 * @param cause whatever tells one cause from another
 */
export function refusalId(subject: ReviewSubject, cause: readonly unknown[]): string {
  const { kind, namespace, name, generatedFrom, operation } = subject;
  const about = [kind, namespace, generatedFrom ?? name, operation, ...cause];
  return sha256Hex(JSON.stringify(about)).slice(0, 8);
}

/** Allows without a verdict, with the reason. */
export const bypass = ({ subject }: AdmissionRequest, reason: Bypass): Decision => ({
  outcome: "allow",
  id: decisionId(subject.uid),
  subject,
  bypass: reason,
});

/** Findings that enter an identifier, at most. */
const maxCauses = 100;

/** What tells one denial from another: what of which skill breaks which policy. */
export const causesOf = (verdicts: readonly Verdict[]): readonly unknown[] =>
  verdicts
    .filter(({ outcome }) => outcome === "deny")
    .flatMap(({ policy, skills }) =>
      skills.flatMap(({ reference, findings }) =>
        findings.filter(blocks).map(({ code, path }) => [policy, reference.name, reference.path, code, path]),
      ),
    )
    .slice(0, maxCauses);

/** Findings that hold for a skill whatever the rest of it is, which could not be read. */
const holdsForParts: ReadonlySet<Reason> = new Set(["DIGEST_MISMATCH", "FILE_UNSIGNED", "REVOKED"]);

/**
 * The fault of an object that could not be read, if nothing is found but what may come of that: no policy has then said
 * anything of what it holds, which is no denial.
 */
function unreadAlone(verdicts: readonly Verdict[]): SourceError | undefined {
  const failed = verdicts.flatMap(({ skills }) => skills.filter(({ findings }) => findings.some(blocks)));
  const unread = failed.flatMap(({ reference: { path, content } }) =>
    content.state === "unavailable" && content.isUnread === true ? [{ path, content }] : [],
  );
  const [first] = unread;
  if (first === undefined) return undefined;
  const paths = new Set(unread.map(({ path }) => path));
  const mayComeOfIt = ({ reference, findings }: SkillResult): boolean =>
    paths.has(reference.path) && !findings.some(({ code }) => holdsForParts.has(code));
  if (!failed.every(mayComeOfIt)) return undefined;
  const { code, detail } = first.content;
  const denying = verdicts.filter(({ outcome }) => outcome === "deny").map(({ policy }) => policy);
  const isForLists = denying.every((policy) => resourceOf(policy).kind === "SkillRevocationList");
  const [list] = isForLists ? denying : [];
  const why = list === undefined ? "" : `, and ${judgeText(list)} refuses what may be revoked`;
  return new SourceError(code, `${detail}${why}`);
}

/**
 * Combines the verdicts of all policies: one denial denies.
 * @throws SourceError if all that is found is that an object could not be read
 */
export function decide({ subject }: AdmissionRequest, { verdicts, trust }: Evaluation): Decision {
  const fault = unreadAlone(verdicts);
  if (fault !== undefined) throw fault;
  const has = (outcome: Verdict["outcome"]): boolean =>
    verdicts.some((verdict) => verdict.outcome === outcome);
  const outcome = has("deny") ? "deny" : has("warn") ? "warn" : "allow";
  const id = outcome === "deny" ? refusalId(subject, causesOf(verdicts)) : decisionId(subject.uid);
  return { outcome, id, subject, verdicts: verdicts.map(withoutContent), trust };
}
