import { lstat } from "node:fs/promises";
import { join, resolve } from "node:path";

import { assess } from "../assess.ts";
import { gradeAuthorship } from "../evidence/authorship.ts";
import type { Evidence } from "../evidence/evidence.ts";
import type { Grade, Layer } from "../evidence/grade.ts";
import { gradeIntegrity } from "../evidence/integrity.ts";
import type { Verdict } from "../policy/finding.ts";
import { judge } from "../policy/judge.ts";
import type { Policy, PolicySnapshot } from "../policy/policy.ts";
import { remedyFor } from "../policy/remedy.ts";
import { verdictOf } from "../policy/verdict.ts";
import { shortDigest } from "../skill/digest.ts";
import type { SkillContent, SkillReference } from "../skill/reference.ts";
import { SourceError } from "../skill/source-error.ts";
import { exitCode, UsageError, type CommandLine, type ExitCode } from "./command-line.ts";
import { progress, tableOutput } from "./progress.ts";
import type { Outcome, ReportedFinding, ReportItem, TableLayout } from "./report/report-item.ts";
import { createReporter, type OutputFormat } from "./report/reporter.ts";
import {
  absentSignature,
  findingDocument,
  lowestGrades,
  signatureDocument,
  signerName,
} from "./report/skill-document.ts";
import { readTrust, type TrustOptions } from "./trust-sources.ts";

export interface VerifyOptions extends TrustOptions {
  readonly output: OutputFormat;
  /** Path of the signature file inside the skill, where it is not the usual one. */
  readonly signature?: string;
}

/** One skill, with all that is known and said of it. */
interface Verified {
  readonly directory: string;
  readonly reference: SkillReference;
  readonly evidence: Evidence | undefined;
  readonly verdicts: readonly Verdict[];
}

async function assertFolders(directories: readonly string[]): Promise<void> {
  const faults: string[] = [];
  for (const directory of directories) {
    const state = await lstat(directory).catch(() => undefined);
    if (state === undefined) faults.push(`${directory} does not exist`);
    else if (!state.isDirectory() && !state.isSymbolicLink()) faults.push(`${directory} is not a folder`);
  }
  if (faults.length > 0)
    throw new UsageError(faults.join("\n"), "name folders of skills, each with a SKILL.md");
}

async function contentOf(directory: string, line: CommandLine): Promise<SkillContent> {
  try {
    return { state: "resolved", skill: await line.readSkillDirectory(directory) };
  } catch (error) {
    if (!(error instanceof SourceError)) throw error;
    return { state: "unavailable", code: error.code, detail: error.message };
  }
}

/**
 * A folder on a disk comes from no volume: how it will be mounted is not known yet, so that is no reason to
 * refuse it here. Everything else in the policy holds.
 */
const anySource = (policy: Policy): Policy => ({
  ...policy,
  skills: policy.skills.map(({ names }) => ({ names, sources: ["Directory"] })),
});

async function verifyOne(
  directory: string,
  {
    line,
    options,
    snapshot,
  }: { line: CommandLine; options: VerifyOptions; snapshot: PolicySnapshot | undefined },
): Promise<Verified> {
  const content = await contentOf(directory, line);
  const path = resolve(directory);
  const reference: SkillReference = {
    name: path.slice(path.lastIndexOf("/") + 1),
    path,
    containers: [],
    sources: [{ kind: "Directory", name: directory, writable: false }],
    content,
  };
  const now = line.now();
  const trust = snapshot?.trust ?? { version: "none", anchors: [], keys: [] };
  const assessOptions = options.signature === undefined ? {} : { signaturePath: options.signature };
  const evidence =
    content.state === "resolved" ? assess(content.skill, trust, now, assessOptions) : undefined;
  const verdicts = (snapshot?.policies ?? []).map((policy) =>
    verdictOf(policy, [judge(anySource(policy), reference, evidence, now)], { isPod: true }),
  );
  return { directory, reference, evidence, verdicts };
}

function outcomeOf({ verdicts }: Verified): Outcome {
  if (verdicts.length === 0) return "unevaluated";
  if (verdicts.some(({ outcome }) => outcome === "deny")) return "deny";
  return verdicts.some(({ outcome }) => outcome === "warn") ? "warn" : "allow";
}

function gradesOf({ evidence, verdicts }: Verified): Readonly<Record<Layer, Grade>> {
  const judged = lowestGrades(verdicts.flatMap(({ skills }) => skills.map(({ grades }) => grades)));
  if (judged !== undefined) return judged;
  if (evidence === undefined) return { integrity: "UNVERIFIED", authorship: "UNVERIFIED" };
  return {
    integrity: gradeIntegrity(evidence.signature),
    authorship: gradeAuthorship(evidence.signature, false),
  };
}

function findingsOf({ directory, verdicts }: Verified): readonly ReportedFinding[] {
  return verdicts.flatMap(({ policy, skills }) =>
    skills.flatMap(({ findings }) =>
      findings.map((finding) => ({
        ...finding,
        ...(verdicts.length > 1 ? { policy } : {}),
        location: finding.path === undefined ? directory : join(directory, finding.path),
      })),
    ),
  );
}

/** Facts that no finding tells, because there is no policy to find anything against. */
function factsOf({ reference, evidence, verdicts }: Verified): readonly string[] {
  if (verdicts.length > 0) return [];
  if (evidence === undefined) return reference.content.state === "resolved" ? [] : [reference.content.detail];
  const { signature } = evidence;
  if (signature.outcome === "unsigned") return ["not signed"];
  if (signature.outcome === "signed") return [];
  const { differences = [] } = signature;
  const changes = differences.map(({ path, change, signed, found }) =>
    signed !== undefined && found !== undefined
      ? `${change} ${path}: signed ${shortDigest(signed)}, found ${shortDigest(found)}`
      : `${change} ${path}`,
  );
  return [...(signature.outcome === "untrusted" ? [signature.detail] : []), ...changes];
}

function itemOf(verified: Verified): ReportItem {
  const { reference, evidence } = verified;
  const signature = evidence?.signature;
  const signer = signature === undefined || signature.outcome === "unsigned" ? undefined : signature.signer;
  const outcome = outcomeOf(verified);
  const grades = gradesOf(verified);
  const findings = findingsOf(verified);
  const blocking = findings.filter(({ tolerated }) => !tolerated);
  return {
    title: reference.name,
    outcome,
    columns: [grades.integrity, grades.authorship, signerName(signer)],
    facts: factsOf(verified),
    findings,
    ...(blocking.length === 0 ? {} : { remedy: remedyFor(blocking) }),
    document: {
      skill: reference.name,
      directory: verified.directory,
      digest: signature?.digest,
      signature: signature === undefined ? absentSignature(reference) : signatureDocument(signature),
      grades,
      findings: findings.map((finding) => ({ ...findingDocument(finding), policy: finding.policy })),
      outcome,
    },
  };
}

function layoutOf(directories: readonly string[]): TableLayout {
  const lengths = directories.map((directory) => resolve(directory).split("/").at(-1)?.length ?? 0);
  return {
    title: "SKILL",
    columns: [
      { heading: "INTEGRITY", width: 10 },
      { heading: "AUTHORSHIP", width: 10 },
      { heading: "SIGNER", width: 6 },
    ],
    noun: "skill",
    titleWidth: Math.max(...lengths),
  };
}

/** What a call as a whole came to: a refused skill outweighs one that could not be judged. */
function exitCodeOf(outcomes: ReadonlySet<Outcome>): ExitCode {
  if (outcomes.has("deny")) return exitCode.violation;
  return outcomes.has("unevaluated") ? exitCode.unevaluated : exitCode.pass;
}

/**
 * `skill-admission verify`: establishes the evidence about each folder, holds it against the policies and reports.
 * @throws UsageError for folders, keys or policies that cannot be used
 */
export async function verifySkills(
  directories: readonly string[],
  options: VerifyOptions,
  line: CommandLine,
): Promise<ExitCode> {
  await assertFolders(directories);
  const snapshot = await readTrust(options, line);
  const reporter = await createReporter(options.output, tableOutput(line), {
    layout: layoutOf(directories),
    suite: "skill-admission verify",
    version: line.version,
  });
  const outcomes = new Set<Outcome>();
  const shown = progress(line.stderr, directories.length);
  for (const directory of directories) {
    shown.step(directory);
    const item = itemOf(await verifyOne(directory, { line, options, snapshot }));
    outcomes.add(item.outcome);
    shown.clear();
    reporter.item(item);
  }
  reporter.end();
  return exitCodeOf(outcomes);
}
