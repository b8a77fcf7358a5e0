import { createPublicKey, randomBytes } from "node:crypto";
import { lstat, open, rename, unlink } from "node:fs/promises";
import { join } from "node:path";

import { printable } from "../admission/printable.ts";
import { keyFingerprint } from "../signature/key.ts";
import { SignatureError } from "../signature/signature-error.ts";
import type { SignatureEvidence } from "../signature/signature-evidence.ts";
import { SkillFile, type Skill } from "../skill/skill.ts";
import { exitCode, UsageError, type CommandLine, type ExitCode } from "./command-line.ts";
import { readFolder } from "./read-folder.ts";
import {
  formatFor,
  signFormats,
  signWarnings,
  type SignFormat,
  type SignFormatName,
  type SignMaterial,
} from "./sign-format.ts";
import { readChain, readKey } from "./sign-material.ts";

export interface SignOptions {
  readonly key: string;
  readonly format: SignFormatName;
  readonly certificateChain?: string;
  readonly force?: boolean;
}

async function assertFree(path: string, force: boolean): Promise<void> {
  const state = await lstat(path).catch(() => undefined);
  if (state === undefined || force) return;
  throw new UsageError(`${path} is there already`, "replace it with --force");
}

/** Either the whole file is there, or none of it: a half-written signature would refuse a good skill. */
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

async function readMaterial(options: SignOptions, line: CommandLine): Promise<SignMaterial> {
  const { certificateChain, format } = options;
  if (certificateChain !== undefined && format !== "oms") {
    throw new UsageError(
      `the format ${format} has no place for certificates`,
      "leave --certificate-chain out, or sign with --format oms",
    );
  }
  const key = await readKey(options.key, line.passphrase);
  return certificateChain === undefined
    ? { key }
    : { key, certificates: await readChain(certificateChain, line.now()) };
}

function sign(skill: Skill, material: SignMaterial, format: SignFormat): Uint8Array {
  try {
    return format.sign(skill, material);
  } catch (cause) {
    if (!(cause instanceof SignatureError)) throw cause;
    const other = cause.code === "UNSUPPORTED_FORMAT" ? formatFor(material.key) : undefined;
    const remedy =
      other === undefined || signFormats[other] === format ? undefined : `sign with --format ${other}`;
    throw new UsageError(cause.message, remedy, { cause });
  }
}

interface Signing {
  readonly skill: Skill;
  readonly material: SignMaterial;
  readonly format: SignFormat;
}

/** Reads the signature as a verifier would: what this program would refuse, it never writes. */
function checked({ skill, material, format }: Signing, bytes: Uint8Array, now: number): SignatureEvidence {
  const key = createPublicKey(material.key);
  const fingerprint = keyFingerprint(key);
  const trust = { version: fingerprint, anchors: [], keys: [{ names: [], fingerprint, key }] };
  const files = new Map([...skill.files, [format.path, new SkillFile(bytes)]]);
  const evidence = format.verify({ ...skill, files }, trust, now);
  const unknownRoot =
    evidence.outcome === "untrusted" && evidence.fault === "UNTRUSTED_SIGNER" && evidence.selfConsistent;
  if (evidence.outcome === "signed" || unknownRoot) return evidence;
  const detail = evidence.outcome === "untrusted" ? evidence.detail : evidence.outcome;
  throw new UsageError(`the signature would not be accepted: ${detail}`, "use another key or certificate");
}

function summary(
  directory: string,
  { skill, material, format }: Signing,
  evidence: SignatureEvidence,
): string {
  const paths = [...skill.files.keys()].sort();
  const covered = paths.filter((path) => !format.leavesOut(path));
  const left = paths.filter(format.leavesOut);
  const signer = evidence.outcome === "unsigned" ? undefined : evidence.signer;
  const hint = signer?.kind === "certificate" ? undefined : format.hintOf(material.key);
  const trust =
    material.certificates === undefined ? "--public-key PUBLIC_KEY_FILE" : "--certificate-chain ROOT_FILE";
  return [
    `signed ${directory}: ${covered.length} file${covered.length === 1 ? "" : "s"}`,
    ...covered.map((path) => `  ${printable(path)}`),
    ...(left.length > 0
      ? ["not signed (a repository's own files):", ...left.slice(0, 10).map((path) => `  ${printable(path)}`)]
      : []),
    ...(left.length > 10 ? [`  and ${left.length - 10} more`] : []),
    `digest    ${evidence.digest ?? ""}`,
    `signer    ${signer?.kind === "certificate" ? signer.subject : `key sha256:${signer?.publicKey ?? ""}`}`,
    // The only name that a message has for a key which nobody trusts.
    ...(hint === undefined ? [] : [`key hint  ${hint}`]),
    `signature ${join(directory, format.path)}`,
    `check it with: skill-admission verify ${directory} ${trust}`,
    "",
  ].join("\n");
}

/**
 * `skill-admission sign`: signs every file of the skill in a folder and writes the signature into it.
 * @throws UsageError for a folder, key or chain that cannot be used, or a signature that is there already
 */
export async function signSkill(
  directory: string,
  options: SignOptions,
  line: CommandLine,
): Promise<ExitCode> {
  const format = signFormats[options.format];
  await assertFree(join(directory, format.path), options.force === true);
  const material = await readMaterial(options, line);
  const whole = await readFolder(directory, line);
  const files = new Map([...whole.files].filter(([path]) => path !== format.path));
  const signing = { skill: { ...whole, files }, material, format };
  const bytes = sign(signing.skill, material, format);
  const evidence = checked(signing, bytes, line.now());
  await writeAtomically(directory, format.path, bytes);
  line.stdout.write(summary(directory, signing, evidence));
  for (const warning of signWarnings(directory, signing.skill, format))
    line.stderr.write(`warning: ${printable(warning, 400)}\n`);
  return exitCode.pass;
}
