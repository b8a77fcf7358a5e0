import { judgeText } from "../../policy/always.ts";
import { aboutSkills } from "../../policy/failure-count.ts";
import { blocks, maxRecorded, type Finding, type SkillResult, type Verdict } from "../../policy/finding.ts";
import { remedyFor } from "../../policy/remedy.ts";
import type { SkillReference } from "../../skill/reference.ts";
import { printable } from "../../text/printable.ts";
import { shortWords, withoutMiddle } from "../../text/short-words.ts";
import type { ReviewSubject } from "../decision.ts";
import { findingText } from "../../policy/verdict-text.ts";
import { subjectText } from "./denial.ts";

/**
 * The API server cuts warnings to 256 characters each as soon as those of all webhooks have 4,096 together, and leaves
 * out the rest.
 */
const maxWarnings = 10;
const maxWarningLength = 256;
/** Characters that a remedy may have where not all of the warning fits: the rest names object and finding. */
const remedyLength = 90;
const longestRemedy = 140;

/** The clauses of a remedy that fit into so many characters, at least the first: each is one by itself. */
function shortened(remedy: string, room: number): string {
  if (remedy.length <= room) return remedy;
  const ends = [...remedy.matchAll(/; |, or |, and /g)].map(({ index }) => index);
  const end = ends.findLast((at) => at <= room) ?? ends[0] ?? remedy.length;
  return printable(remedy.slice(0, end), longestRemedy);
}

/** One warning: what happened, with shorter names where it is too long, and what to do. */
export function warningText(what: string, remedy: string | undefined): string {
  if (remedy === undefined) return shortWords(what, maxWarningLength);
  const before = "; fix: ";
  const shown = shortWords(what, maxWarningLength);
  const room = Math.max(remedyLength, maxWarningLength - shown.length - before.length);
  const fix = `${before}${shortened(printable(remedy, maxWarningLength), room)}`;
  return `${shortWords(what, maxWarningLength - fix.length)}${fix}`;
}

/** Whether a policy admits an object now and will deny its pods: the warning that must not be missed. */
const deniesLater = ({ mode, outcome, skills }: Verdict): boolean =>
  mode === "Enforce" && outcome === "warn" && skills.some(({ findings }) => findings.some(blocks));

/** What a finding is about, in front of it; empty for settings of the whole pod, which the finding names. */
function aboutText({ name, path, content }: SkillReference, isSkill: boolean): string {
  if (isSkill) return `skill ${withoutMiddle(printable(name, Infinity), 60)}: `;
  if (content.state === "fault" && content.demand !== "closed") return "";
  return path === "" ? "" : `${withoutMiddle(printable(path, Infinity), 60)}: `;
}

function warningsAbout({ policy, skills }: Verdict): readonly string[] {
  const isAboutSkill = aboutSkills(skills);
  const line = ({ reference }: SkillResult, finding: Finding): string =>
    warningText(
      `${policy}: ${aboutText(reference, isAboutSkill(reference))}${findingText(finding)}`,
      remedyFor([finding]),
    );
  return skills.flatMap((result) => result.findings.map((finding) => line(result, finding)));
}

/** Skills that a policy accepts now and will not in a month: their owners have them signed anew in time. */
function endingSoon({ policy, mode, outcome, skills }: Verdict): readonly string[] {
  if (mode === "Audit" || outcome === "deny") return [];
  return skills.flatMap(({ reference, ends }) =>
    ends === undefined
      ? []
      : [
          warningText(
            `${policy}: skill ${printable(reference.name, 60)}: ${ends.message}`,
            "have it signed anew before, or use a newer release",
          ),
        ],
  );
}

/**
 * Warnings of policies in mode Warn, of tolerated findings, and of policies that will deny the object's pods, and of what is
 * accepted for a while only. One line each with its remedy, those of denied pods first; the last line counts the rest.
 */
export function warningsOf(verdicts: readonly Verdict[], subject: ReviewSubject): readonly string[] {
  const announced = verdicts
    .filter(deniesLater)
    .map(({ policy }) =>
      shortWords(`${judgeText(policy)} will deny the pods of ${subjectText(subject)}`, maxWarningLength),
    );
  const lines = [
    ...announced,
    ...verdicts.filter(({ outcome }) => outcome === "warn").flatMap(warningsAbout),
    ...verdicts.flatMap(endingSoon),
  ];
  if (lines.length <= maxWarnings) return lines;
  return [
    ...lines.slice(0, maxWarnings - 1),
    `and ${lines.length - maxWarnings + 1} more findings; fix: see up to ${maxRecorded} of them in the log of skill-admission`,
  ];
}
