import { lstat, stat } from "node:fs/promises";
import { basename, resolve } from "node:path";

import { printable } from "../text/printable.ts";
import { verdictsOn } from "../evaluation/verdicts-on.ts";
import type { EvidenceSubject } from "../evidence/evidence-subject.ts";
import type { Evidence } from "../evidence/evidence.ts";
import type { PolicySnapshot } from "../policy/policy.ts";
import type { TrustMaterial } from "../signature/trust-material.ts";
import { skillFilePath } from "../skill/skill-file.ts";
import type { SkillContent, SkillReference } from "../skill/reference.ts";
import { SourceError } from "../skill/source-error.ts";
import { exitCode, UsageError, worst, type CommandLine, type ExitCode } from "./command-line.ts";
import { progress, tableOutput } from "./report/progress.ts";
import type { Outcome, TableLayout } from "./report/report-item.ts";
import { createReporter, type OutputFormat } from "./report/reporter.ts";
import { skillItem, type Verified } from "./report/skill-item.ts";
import { readTrust, type TrustOptions } from "./trust/trust-sources.ts";

export interface VerifyOptions extends TrustOptions {
  readonly output: OutputFormat;
  /** Path of the signature file inside the skill, where it is not the usual one. */
  readonly signature?: string;
}

const few = (names: readonly string[]): string =>
  printable([...names.slice(0, 3), ...(names.length > 3 ? ["…"] : [])].join(", "), 400);

/** Kind of a path; a link counts by what it leads to, and one that leads nowhere is left to the reader of folders. */
async function kindOf(path: string): Promise<"folder" | "file" | "nothing"> {
  if ((await lstat(path).catch(() => undefined)) === undefined) return "nothing";
  const target = await stat(path).catch(() => undefined);
  return target === undefined || target.isDirectory() ? "folder" : "file";
}

/**
 * The folders among paths. Files beside folders are left out with a note, as of `skills/*`; a file by itself, or a part of
 * a skill, was not meant.
 * @throws UsageError
 */
async function foldersAmong(paths: readonly string[], line: CommandLine): Promise<readonly string[]> {
  const kinds = await Promise.all(paths.map(async (path) => ({ path, kind: await kindOf(path) })));
  const of = (wanted: string): readonly string[] =>
    kinds.filter(({ kind }) => kind === wanted).map(({ path }) => path);
  const [folders, files] = [of("folder"), of("file")];
  const isMistaken = folders.length === 0 || files.some((file) => /^skill\.md$/i.test(basename(file)));
  const faults = [
    ...of("nothing").map((path) => `${path} does not exist`),
    ...(isMistaken ? files.map((path) => `${path} is not a folder`) : []),
  ];
  if (faults.length > 0)
    throw new UsageError(faults.join("\n"), "name folders of skills, each with a SKILL.md");
  if (files.length > 0) line.stderr.write(`note: left out, for they are no folders: ${few(files)}\n`);
  return folders;
}

async function contentOf(directory: string, line: CommandLine): Promise<SkillContent> {
  try {
    return { state: "resolved", skill: await line.readSkillDirectory(directory) };
  } catch (error) {
    if (!(error instanceof SourceError)) throw error;
    return { state: "unavailable", code: error.code, detail: error.message };
  }
}

type Establish = (subject: EvidenceSubject, trust: TrustMaterial, now: number) => Evidence;

/**
 * Chooses how evidence is established. Without a policy the card is not needed, and its readers are not loaded.
 * Revocations need it all: a list may revoke the signer of another signature.
 */
async function establisher({ policy = [], revocations, signature }: VerifyOptions): Promise<Establish> {
  const signatureAt = signature === undefined ? {} : { signaturePath: signature };
  if (policy.length > 0 || revocations !== undefined) {
    const { assess } = await import("../evaluation/assess.ts");
    return (subject, trust, now) => assess(subject, trust, now, signatureAt);
  }
  const { assessSignatures } = await import("../evaluation/assess-signatures.ts");
  return (subject, trust, now) => ({
    ...assessSignatures(subject, trust, now, signatureAt),
    card: { faults: [] },
  });
}

interface Verification {
  readonly line: CommandLine;
  readonly establish: Establish;
  readonly snapshot: PolicySnapshot | undefined;
}

async function verifyOne(directory: string, { line, establish, snapshot }: Verification): Promise<Verified> {
  const content = await contentOf(directory, line);
  const path = resolve(directory);
  const reference: SkillReference = {
    name: basename(path),
    path,
    containers: [],
    sources: [{ kind: "Directory", name: directory, writable: false }],
    content,
  };
  const now = line.now();
  const trust = snapshot?.trust ?? { version: "none", anchors: [], keys: [] };
  const evidence = content.state === "resolved" ? establish(content, trust, now) : undefined;
  const verdicts = verdictsOn([{ reference, evidence }], snapshot?.policies ?? [], { isPod: true }, now);
  return { directory, reference, evidence, verdicts, now };
}

function layoutOf(directories: readonly string[]): TableLayout {
  const lengths = directories.map((directory) => basename(resolve(directory)).length);
  return {
    title: "SKILL",
    columns: [
      { heading: "INTEGRITY", width: 10 },
      { heading: "AUTHORSHIP", width: 10 },
      { heading: "SIGNER", width: 6 },
    ],
    noun: "skill",
    titleWidth: lengths.reduce((most, length) => Math.max(most, length), 0),
  };
}

/** Exit code of one skill: an unreadable one was not evaluated, though it is refused. */
function exitCodeOf({ reference: { content } }: Verified, outcome: Outcome): ExitCode {
  const unread = content.state === "unavailable" && content.code === "SOURCE_UNAVAILABLE";
  if (unread || outcome === "unevaluated") return exitCode.unevaluated;
  return outcome === "deny" ? exitCode.violation : exitCode.pass;
}

const isNoSkill = ({ content }: SkillReference): boolean =>
  content.state === "resolved" && skillFilePath(content.skill) === undefined;

const isWithout = ({ content }: SkillReference, signature: string | undefined): boolean =>
  signature !== undefined && content.state === "resolved" && !content.skill.files.has(signature);

/** Folders that the caller may not have meant. */
interface SuspiciousInputs {
  readonly noSkill: string[];
  readonly noSignature: string[];
}

/** Warnings about a call that proves little. */
function advice(
  { noSkill, noSignature }: SuspiciousInputs,
  { signature = "" }: VerifyOptions,
  snapshot: PolicySnapshot | undefined,
): string {
  return [
    ...(noSkill.length > 0
      ? [`warning: no SKILL.md in ${few(noSkill)}; name the folders of skills, one each\n`]
      : []),
    ...(noSignature.length > 0
      ? [
          `warning: no ${printable(signature)} in ${few(noSignature)}; --signature is a path inside of the skill\n`,
        ]
      : []),
    ...(snapshot === undefined
      ? ["name whom to trust with --public-key, --certificate-chain, --identity or --policy for a verdict\n"]
      : []),
  ].join("");
}

/**
 * `skill-admission verify`: establishes the evidence about each folder among the paths, judges it by the policies, and reports.
 * @throws UsageError for folders, keys or policies that cannot be used
 */
export async function verifySkills(
  paths: readonly string[],
  options: VerifyOptions,
  line: CommandLine,
): Promise<ExitCode> {
  const directories = await foldersAmong(paths, line);
  const snapshot = await readTrust(options, line);
  const establish = await establisher(options);
  const reporter = await createReporter(options.output, tableOutput(line), {
    layout: layoutOf(directories),
    suite: "skill-admission verify",
    version: line.version,
  });
  const codes = new Set<ExitCode>();
  const suspicious: SuspiciousInputs = { noSkill: [], noSignature: [] };
  const shown = progress(line.stderr, directories.length);
  for (const directory of directories) {
    shown.step(directory);
    const verified = await verifyOne(directory, { line, establish, snapshot });
    const item = skillItem(verified);
    codes.add(exitCodeOf(verified, item.outcome));
    shown.clear();
    reporter.item(item);
    if (isNoSkill(verified.reference)) suspicious.noSkill.push(directory);
    if (isWithout(verified.reference, options.signature)) suspicious.noSignature.push(directory);
  }
  reporter.end();
  line.stderr.write(advice(suspicious, options, snapshot));
  return worst(codes);
}
