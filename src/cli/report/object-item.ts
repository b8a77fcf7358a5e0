import type { Evaluation } from "../../evaluation/evaluate.ts";
import { aboutSkills, skillCount } from "../../policy/failure-count.ts";
import type { SkillResult, Verdict } from "../../policy/finding.ts";
import { remedyFor } from "../../policy/remedy.ts";
import type { SourceErrorCode } from "../../skill/source-error.ts";
import { defined } from "../../text/fields.ts";
import { exitCode, type ExitCode } from "../command-line.ts";
import type { Outcome, ReportedFinding, ReportItem } from "./report-item.ts";
import { findingDocument, scanDocument, signaturesDocument } from "./skill-document.ts";

/** An object to review, and its place. */
export interface AppliedSubject {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  /** File of the object. */
  readonly file: string;
  /** Line at which it begins there, where it is known. */
  readonly line?: number;
}

/** Result of the review of one object. */
export type AppliedObject = AppliedSubject &
  (
    | ({
        readonly state: "reviewed";
        /** What could not be read may be there for the webhook: that it is missing here decides nothing. */
        readonly isPartlyUnknown: boolean;
      } & Evaluation)
    | { readonly state: "failed"; readonly code: SourceErrorCode; readonly message: string }
    | {
        /** Not of a kind that is read, though it looks as if pods were made of it. */
        readonly state: "unknown";
        readonly apiVersion: string;
        /** Path of the field that looks like it. */
        readonly field: string;
      }
  );

type Reviewed = Extract<AppliedObject, { state: "reviewed" }>;

/** True where the webhook admits a workload with a warning and will deny its pods: the caller wants pods. */
const deniesPods = ({ mode, outcome, skills }: Verdict): boolean =>
  mode === "Enforce" &&
  outcome === "warn" &&
  skills.some(({ findings }) => findings.some(({ tolerated }) => !tolerated));

const unread: ReadonlySet<string> = new Set(["SOURCE_UNAVAILABLE", "TIMEOUT"]);

const isUnread = ({ reference: { content } }: SkillResult): boolean =>
  content.state === "unavailable" && unread.has(content.code);

/** True where skills could not be read, and no other denies. */
const isUndecided = ({ isPartlyUnknown, verdicts }: Reviewed): boolean =>
  isPartlyUnknown &&
  verdicts.some(({ skills }) => skills.some(isUnread)) &&
  !verdicts.some(
    ({ mode, skills }) =>
      mode === "Enforce" &&
      skills.some((result) => !isUnread(result) && result.findings.some(({ tolerated }) => !tolerated)),
  );

/** The webhook's answer to the object itself. */
function outcomeOf(object: AppliedObject): Outcome {
  if (object.state === "unknown") return "unevaluated";
  if (object.state === "failed") return unread.has(object.code) ? "unevaluated" : "deny";
  if (isUndecided(object)) return "unevaluated";
  if (object.verdicts.some(({ outcome }) => outcome === "deny")) return "deny";
  return object.verdicts.some(({ outcome }) => outcome === "warn") ? "warn" : "allow";
}

const isLetInWithoutPods = (object: AppliedObject): boolean =>
  object.state === "reviewed" && outcomeOf(object) === "warn" && object.verdicts.some(deniesPods);

/** The one finding about an object that was not judged, or could not be. */
function faultOf(object: Exclude<AppliedObject, Reviewed>): ReportedFinding {
  const common = { tolerated: false, location: object.file };
  if (object.state === "failed") return { ...common, code: object.code, message: object.message };
  return {
    ...common,
    code: "SOURCE_UNVERIFIABLE",
    message: `not judged: ${object.kind} of ${object.apiVersion} is no kind that is read here, and ${object.field} looks as if it made pods`,
    remedy:
      "write its pods as a Pod and judge that, or judge them where they run (skill-admission apply --cluster); the webhook judges each when it is made",
  };
}

function findingsOf(object: AppliedObject): readonly ReportedFinding[] {
  const { file } = object;
  if (object.state !== "reviewed") return [faultOf(object)];
  return object.verdicts.flatMap(({ policy, mode, skills }) =>
    skills.flatMap(({ reference, findings }) =>
      findings.map((finding) => ({
        ...finding,
        tolerated: finding.tolerated || mode !== "Enforce",
        policy,
        skill: reference.name,
        location: file,
      })),
    ),
  );
}

/** One skill as the agent would see it: place, sources, and every file. */
function skillDocument({ reference, evidence }: Reviewed["skills"][number]): object {
  const { name, path, containers, sources, content } = reference;
  const files = content.state === "resolved" ? [...content.skill.files] : [];
  return {
    skill: name,
    path,
    containers,
    sources,
    state: content.state,
    ...(content.state === "resolved" ? {} : { detail: content.detail }),
    digest: evidence?.signature.digest,
    ...signaturesDocument(reference, evidence),
    ...scanDocument(evidence),
    files: files
      .map(([file, { sha256, size }]) => ({ path: file, sha256, size }))
      .sort((one, other) => (one.path < other.path ? -1 : 1)),
  };
}

const resultDocument = ({ reference, grades, findings }: SkillResult): object => ({
  skill: reference.name,
  path: reference.path,
  grades,
  findings: findings.map(findingDocument),
});

function documentOf(object: AppliedObject, outcome: Outcome): object {
  const { kind, namespace, name, file, line } = object;
  const head = { object: { kind, namespace, name }, file, ...defined({ line }), outcome };
  if (object.state !== "reviewed") {
    const { code, message } = faultOf(object);
    return { ...head, skills: [], verdicts: [], error: { code, message } };
  }
  return {
    ...head,
    ...(isLetInWithoutPods(object) ? { podsDenied: true } : {}),
    skills: object.skills.map(skillDocument),
    verdicts: object.verdicts.map(({ policy, mode, outcome: verdict, skills }) => ({
      policy,
      mode,
      outcome: verdict,
      skills: skills.map(resultDocument),
    })),
  };
}

function factsOf(object: AppliedObject): readonly string[] {
  if (object.state !== "reviewed") return [];
  if (object.verdicts.length === 0) return [`no policy governs the namespace ${object.namespace}`];
  const isAboutSkill = aboutSkills(object.skills);
  return [
    ...object.skills.flatMap(({ reference }) => {
      const { name, path, sources } = reference;
      if (path === "") return [];
      const what = isAboutSkill(reference) ? `skill ${name} at` : "place";
      return [`${what} ${path} (${sources.map((source) => `${source.kind} ${source.name}`).join(" + ")})`];
    }),
    ...(isLetInWithoutPods(object)
      ? [`the webhook would let the ${object.kind} in with a warning, and deny its pods`]
      : []),
  ];
}

const exits: Readonly<Record<Outcome, ExitCode>> = {
  allow: exitCode.pass,
  warn: exitCode.pass,
  deny: exitCode.violation,
  unevaluated: exitCode.unevaluated,
};

/** Report of a reviewed object, with its exit code. */
export function objectItem(object: AppliedObject): ReportItem & { readonly exit: ExitCode } {
  const answer = outcomeOf(object);
  const outcome = isLetInWithoutPods(object) ? "deny" : answer;
  const findings = findingsOf(object);
  const reviewed = object.state === "reviewed" ? object : undefined;
  return {
    exit: exits[outcome],
    title: `${object.kind} ${object.namespace}/${object.name}`,
    file: object.file,
    ...defined({ line: object.line }),
    outcome,
    columns: [
      reviewed === undefined ? "-" : String(skillCount(reviewed.skills)),
      reviewed?.verdicts.map(({ policy }) => policy).join(", ") ?? "-",
    ],
    facts: factsOf(object),
    findings,
    ...(findings.length > 0 && object.state !== "failed" ? { remedy: remedyFor(findings) } : {}),
    document: documentOf(object, answer),
  };
}
