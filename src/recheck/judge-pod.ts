import { failures } from "../policy/verdict-text.ts";
import { withoutContent } from "../policy/without-content.ts";
import { effectivePolicies, evaluate, skillsOf, type ReviewContext } from "../evaluation/evaluate.ts";
import { blocks, type Finding, type Mode, type Verdict } from "../policy/finding.ts";
import type { Mark } from "../policy/trust/usage.ts";
import type { Reason } from "../policy/reason.ts";
import { sha256Hex } from "../skill/digest.ts";
import { SourceError } from "../skill/source-error.ts";
import type { SkillSource } from "../skill/source.ts";
import type { PodSubject } from "../workload/pod/pod-subject.ts";
import { seenIn } from "./seen.ts";

/** A policy that a pod does not meet. */
export interface Shortfall {
  readonly policy: string;
  readonly tenant: string;
  readonly mode: Mode;
  /** `1 of 3 skills failed`. */
  readonly summary: string;
  /** The skills with their findings, for people. */
  readonly lines: readonly string[];
  /** Reason codes, each once. */
  readonly codes: readonly Reason[];
  /** Equal for the same findings. */
  readonly key: string;
}

/** Result of one judgement. */
export interface Judgement {
  /** False: something could not be read, so that more may be wrong; to be tried again. */
  readonly complete: boolean;
  readonly shortfalls: readonly Shortfall[];
  /** What was met of trust, publishers and revocations. */
  readonly seen: readonly Mark[];
}

/**
 * Reasons that prove nothing of what runs: an object that is gone brings in no bytes, and running containers keep what
 * was judged; a read that failed is tried again; of a policy that cannot be used its own status and alert tell.
 */
const unproved: ReadonlySet<Reason> = new Set(["SOURCE_UNAVAILABLE", "TIMEOUT", "INTERNAL"]);

const counts = (finding: Finding): boolean => blocks(finding) && !unproved.has(finding.code);

/** Lines of one shortfall: as many as an Event has room for. */
const maxLines = 20;
const maxCodes = 10;

function shortfallOf(verdict: Verdict): readonly Shortfall[] {
  const incomplete = new Set(
    verdict.skills.flatMap(({ reference: { path, content } }) =>
      content.state === "unavailable" && content.code === "SOURCE_UNAVAILABLE" ? [path] : [],
    ),
  );
  // Of a skill of which an object is gone, what is left proves no more.
  const skills = verdict.skills.map((skill) => ({
    ...skill,
    findings: incomplete.has(skill.reference.path) ? [] : skill.findings.filter(counts),
  }));
  const findings = skills.flatMap((skill) => skill.findings);
  if (findings.length === 0) return [];
  const { policy, tenant, mode } = verdict;
  const { summary, lines } = failures(withoutContent({ ...verdict, skills }));
  return [
    {
      policy,
      tenant,
      mode,
      summary,
      lines: lines.slice(0, maxLines),
      codes: [...new Set(findings.map(({ code }) => code))].slice(0, maxCodes),
      key: sha256Hex(
        JSON.stringify(
          skills.map(({ reference, findings: of }) => [
            reference.path,
            of.map(({ code, path }) => [code, path]),
          ]),
        ),
      ),
    },
  ];
}

/** Notes whether a read failed in a way that another try may mend. */
function noting(source: SkillSource): { readonly source: SkillSource; readonly failed: () => boolean } {
  let failed = false;
  return {
    failed: () => failed,
    source: {
      read: async (request, signal) => {
        try {
          return await source.read(request, signal);
        } catch (error) {
          failed ||= isPassing(error);
          throw error;
        }
      },
    },
  };
}

const isPassing = (error: unknown): boolean =>
  !(error instanceof SourceError) || error.code === "TIMEOUT" || error.code === "SOURCE_UNAVAILABLE";

/**
 * Judges a stored pod by the policies that govern it, as a review of its creation would. Every mode counts, and what a
 * policy tolerates does not.
 * @throws SourceError TIMEOUT or SOURCE_UNAVAILABLE if that cannot be done now
 */
export async function judgePod(pod: PodSubject, context: ReviewContext): Promise<Judgement> {
  const effective = await effectivePolicies(pod.namespace, context);
  const policies = effective.policies.filter(({ invalidReason }) => invalidReason === undefined);
  if (policies.length === 0) return { complete: true, shortfalls: [], seen: [] };
  const { source, failed } = noting(context.deps.source);
  const noted = { ...context, deps: { ...context.deps, source } };
  try {
    const references = await skillsOf(pod, policies, noted);
    const evaluation = await evaluate(references, { ...effective, policies }, { isPod: true }, noted);
    return {
      complete: !failed(),
      shortfalls: evaluation.verdicts.flatMap(shortfallOf),
      seen: seenIn(evaluation, policies),
    };
  } catch (error) {
    if (!(error instanceof SourceError) || isPassing(error)) throw error;
    // Whoever gets a pod past the webhook that is too large to be judged is to be named for that.
    const { code, message } = error;
    const lines = [`${code} ${message}`];
    const shortfalls = policies.map(({ name, tenant, mode }) => ({
      policy: name,
      tenant,
      mode,
      summary: "it cannot be judged",
      lines,
      codes: [code],
      key: sha256Hex(code),
    }));
    return { complete: true, shortfalls, seen: [] };
  }
}
