import { randomBytes } from "node:crypto";
import { lstat, open, rename, unlink } from "node:fs/promises";
import { join } from "node:path";

import { printable } from "../../text/printable.ts";
import { formatOf, type Format, type SignableFormat } from "../../signature/formats.ts";
import {
  signingFormats,
  type FolderFormat,
  type SignatureEvidence,
  type Signer as FoundSigner,
  type SigningFormat,
} from "../../signature/signature-evidence.ts";
import { skillFilePath } from "../../skill/skill-file.ts";
import { SkillFile, type Skill } from "../../skill/skill.ts";
import { exitCode, UsageError, type CommandLine, type ExitCode } from "../command-line.ts";
import type { KeylessOptions } from "./keyless/signer.ts";
import { readFolder } from "../files/read-folder.ts";
import { keySigner, type Signer } from "./signer.ts";
import { assertNotAmong, readChain, readPrivateKey } from "./sign-material.ts";
import { signWarnings } from "./sign-warnings.ts";

/** Options of `sign`: a key file, or an identity instead. */
export interface SignOptions extends KeylessOptions {
  readonly key?: string;
  readonly keyless?: boolean;
  readonly format: SigningFormat;
  readonly certificateChain?: string;
  readonly force?: boolean;
  /** Formats of other signatures for the skill: this one ignores their files. */
  readonly beside?: readonly FolderFormat[];
}

async function assertFree(path: string, force: boolean): Promise<void> {
  const state = await lstat(path).catch(() => undefined);
  if (state === undefined || force) return;
  throw new UsageError(`${path} is there already`, "replace it with --force");
}

/** Writes the whole file or nothing: a partial signature would make verification fail. */
async function writeAtomically(folder: string, name: string, bytes: Uint8Array): Promise<void> {
  const temporary = join(folder, `.${name}.${randomBytes(6).toString("hex")}`);
  try {
    const file = await open(temporary, "wx", 0o644);
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, join(folder, name));
  } catch (cause) {
    await unlink(temporary).catch(() => undefined);
    throw new UsageError(`cannot write ${join(folder, name)}: ${(cause as Error).message}`, undefined, {
      cause,
    });
  }
}

const keylessOnly = [
  "identityToken",
  "fulcioUrl",
  "rekorUrl",
  "tsaUrl",
  "trustConfig",
  "trustedRoot",
] as const;

/** Refuses keyless options with a key: they would have no effect. */
function assertNoneKeyless(options: SignOptions): void {
  const given = keylessOnly.find((option) => options[option] !== undefined);
  if (given === undefined) return;
  const flag = given.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  throw new UsageError(`--${flag} is for keyless signing`, "add --keyless, or leave it out");
}

/** Formats to use instead, as options. */
const formatThat = (can: (format: SignableFormat) => boolean): string =>
  signingFormats
    .filter((name) => can(formatOf[name]))
    .map((name) => `--format ${name}`)
    .join(" or ");

const canLeaveRoom = ({ leavesRoomFor }: Format): boolean => leavesRoomFor !== undefined;

/** @throws UsageError if the format cannot ignore files */
function leftOutBy({ format, beside = [] }: SignOptions): readonly string[] {
  if (beside.length === 0 || canLeaveRoom(formatOf[format]))
    return beside.flatMap((name) => [...formatOf[name].proved, ...formatOf[name].unsigned]);
  throw new UsageError(
    `the format ${format} leaves no file out`,
    `leave --beside out, and sign with ${formatThat(canLeaveRoom)} --beside first`,
  );
}

async function readSigner(
  options: SignOptions,
  leftOut: readonly string[],
  line: CommandLine,
): Promise<Signer> {
  const { key, keyless = false, certificateChain } = options;
  const format: SignableFormat = formatOf[options.format];
  const { statement, takesCertificates } = format.signing;
  if (certificateChain !== undefined && !takesCertificates) {
    throw new UsageError(
      `the format ${format.name} has no place for certificates`,
      `leave --certificate-chain out, or sign with ${formatThat(({ signing }) => signing.takesCertificates)}`,
    );
  }
  if (keyless && statement === undefined)
    throw new UsageError(
      `the format ${format.name} knows no keyless signers`,
      `sign with ${formatThat(({ signing }) => signing.statement !== undefined)}`,
    );
  if (keyless && statement !== undefined) {
    const { keylessSigner } = await import("./keyless/signer.ts");
    return keylessSigner((skill) => statement(skill, leftOut), options, line);
  }
  if (key === undefined) throw new UsageError("nobody was named to sign", "give --key FILE, or --keyless");
  assertNoneKeyless(options);
  const material = { key: await readPrivateKey(key, line.passphrase), leftOut };
  return keySigner(
    certificateChain === undefined
      ? material
      : { ...material, certificates: await readChain(certificateChain, line.now()) },
    format,
  );
}

interface Signing {
  readonly skill: Skill;
  /** Ignored paths of other signatures' files, existing or not. */
  readonly leftOut: readonly string[];
  readonly signer: Signer;
  readonly format: SignableFormat;
}

/** Verifies the signature before it is written: the program writes none that it would refuse. */
function checked({ skill, signer, format }: Signing, bytes: Uint8Array, now: number): SignatureEvidence {
  const files = new Map([...skill.files, [format.file, new SkillFile(bytes)]]);
  const evidence = format.verify({ ...skill, files }, format.file, signer.trust, now);
  const unknownRoot =
    evidence.outcome === "untrusted" && evidence.fault === "UNTRUSTED_SIGNER" && evidence.selfConsistent;
  if (evidence.outcome === "signed" || (unknownRoot && !signer.mustBeTrusted)) return evidence;
  const detail = evidence.outcome === "untrusted" ? evidence.detail : evidence.outcome;
  throw new UsageError(`the signature would not be accepted: ${detail}`, signer.remedy);
}

function signerText(signer: FoundSigner | undefined): string {
  if (signer?.kind === "certificate") return signer.subject;
  return signer?.kind === "keyless"
    ? printable(`${signer.identity} (${signer.issuer})`, 400)
    : `key sha256:${signer?.publicKey ?? ""}`;
}

function summary(
  directory: string,
  { skill, leftOut, signer, format }: Signing,
  evidence: SignatureEvidence,
): string {
  const { leavesOut } = format.signing;
  const paths = [...skill.files.keys()].sort();
  const covered = paths.filter((path) => !leavesOut(path) && !leftOut.includes(path));
  const left = paths.filter(leavesOut);
  const others = paths.filter((path) => leftOut.includes(path));
  const found = evidence.outcome === "unsigned" ? undefined : evidence.signer;
  const hint = found?.kind === "certificate" ? undefined : signer.hint;
  return [
    `signed ${directory}: ${covered.length} file${covered.length === 1 ? "" : "s"}`,
    ...covered.map((path) => `  ${printable(path)}`),
    ...(left.length > 0
      ? ["not signed (a repository's own files):", ...left.slice(0, 10).map((path) => `  ${printable(path)}`)]
      : []),
    ...(left.length > 10 ? [`  and ${left.length - 10} more`] : []),
    ...(others.length > 0
      ? ["not signed (of another signature):", ...others.map((path) => `  ${path}`)]
      : []),
    `digest    ${evidence.digest ?? ""}`,
    `signer    ${signerText(found)}`,
    // An untrusted key has no other name in messages.
    ...(hint === undefined ? [] : [`key hint  ${hint}`]),
    `signature ${join(directory, format.file)}`,
    `check it with: skill-admission verify ${directory} ${printable(signer.checkedBy(found), 4_000)}`,
    "",
  ].join("\n");
}

/** Maximum reported faults of SKILL.md. */
const maxFaults = 3;

/** Faults of SKILL.md for agents and policies: a later correction needs a new signature. */
async function skillFaults(skill: Skill): Promise<readonly string[]> {
  if (skillFilePath(skill) === undefined) return [];
  const { readFrontmatter } = await import("../../card/frontmatter.ts");
  return readFrontmatter(skill)
    .faults.slice(0, maxFaults)
    .map(({ path, field, detail }) => `${path}: ${field === undefined ? "" : `${field}: `}${detail}`);
}

/**
 * `skill-admission sign`: signs every file of the skill in a folder and writes the signature into it.
 * @throws UsageError for an unusable folder, key, chain or token, or an existing signature
 */
export async function signSkill(
  directory: string,
  options: SignOptions,
  line: CommandLine,
): Promise<ExitCode> {
  const format: SignableFormat = formatOf[options.format];
  await assertFree(join(directory, format.file), options.force === true);
  const leftOut = leftOutBy(options);
  const signer = await readSigner(options, leftOut, line);
  const whole = await readFolder(directory, line);
  if (options.key !== undefined) await assertNotAmong(whole.files, options.key);
  const files = new Map([...whole.files].filter(([path]) => path !== format.file));
  const signing = { skill: { ...whole, files }, leftOut, signer, format };
  const bytes = await signer.sign(signing.skill);
  const evidence = checked(signing, bytes, line.now());
  await writeAtomically(directory, format.file, bytes);
  line.stdout.write(summary(directory, signing, evidence));
  const warnings = [
    ...signWarnings(directory, signing.skill, format, leftOut),
    ...(await skillFaults(signing.skill)),
    ...(signer.warning === undefined ? [] : [signer.warning]),
  ];
  for (const warning of warnings) line.stderr.write(`warning: ${printable(warning, 400)}\n`);
  return exitCode.pass;
}
