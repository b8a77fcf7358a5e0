import { createPrivateKey, createPublicKey, randomBytes, X509Certificate, type KeyObject } from "node:crypto";
import { lstat, open, readFile, rename, unlink } from "node:fs/promises";
import { join } from "node:path";

import { printable } from "../admission/printable.ts";
import { signatureFileName } from "../signature/detect.ts";
import { keyFingerprint, keyHint } from "../signature/key.ts";
import { gitPaths } from "../signature/oms/ignore.ts";
import { signOms } from "../signature/oms/sign.ts";
import { SignatureError } from "../signature/signature-error.ts";
import type { SignatureEvidence } from "../signature/signature-evidence.ts";
import { verifySignature } from "../signature/verify.ts";
import { SkillFile, type Skill } from "../skill/skill.ts";
import { exitCode, UsageError, type CommandLine, type ExitCode } from "./command-line.ts";
import { readFolder } from "./read-folder.ts";

export interface SignOptions {
  readonly key: string;
  readonly certificateChain?: string;
  readonly force?: boolean;
}

async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, "latin1");
  } catch (cause) {
    const missing = (cause as NodeJS.ErrnoException).code === "ENOENT";
    const why = missing ? "it does not exist" : (cause as Error).message;
    throw new UsageError(`cannot read ${file}: ${why}`, undefined, { cause });
  }
}

const isEncrypted = (pem: string): boolean =>
  pem.includes("-----BEGIN ENCRYPTED PRIVATE KEY-----") || /^Proc-Type: 4,ENCRYPTED/m.test(pem);

async function readKey(file: string, passphrase: string | undefined): Promise<KeyObject> {
  const pem = await readText(file);
  if (isEncrypted(pem) && passphrase === undefined) {
    throw new UsageError(`the key ${file} is encrypted`, "set SKILL_ADMISSION_KEY_PASSPHRASE");
  }
  try {
    return createPrivateKey(passphrase === undefined ? pem : { key: pem, passphrase });
  } catch (cause) {
    // OpenSSL's own words do not say which of the two it is.
    throw isEncrypted(pem)
      ? new UsageError(`the passphrase does not open ${file}`, "correct SKILL_ADMISSION_KEY_PASSPHRASE", {
          cause,
        })
      : new UsageError(`${file} holds no private key in PEM`, "name the file that openssl wrote the key to", {
          cause,
        });
  }
}

async function readChain(file: string): Promise<readonly X509Certificate[]> {
  const found = (await readText(file)).match(
    /-----BEGIN CERTIFICATE-----[^-]{1,65536}-----END CERTIFICATE-----/g,
  );
  if (found === null) {
    throw new UsageError(`${file} holds no certificate in PEM`, "it must have -----BEGIN CERTIFICATE-----");
  }
  try {
    return found.map((pem) => new X509Certificate(pem));
  } catch (cause) {
    throw new UsageError(`${file} holds a certificate that cannot be read`, undefined, { cause });
  }
}

/** A signature that everybody would refuse is the signer's to mend, before anybody mounts it. */
function assertValid(file: string, certificates: readonly X509Certificate[], now: number): void {
  for (const { subject, validFromDate, validToDate } of certificates) {
    if (validFromDate.getTime() <= now && now <= validToDate.getTime()) continue;
    const span = `from ${validFromDate.toISOString()} to ${validToDate.toISOString()}`;
    throw new UsageError(
      `${file}: the certificate ${printable(subject.split("\n").reverse().join(", "), 200)} is valid ${span}, not now`,
      "sign with a certificate that is valid",
    );
  }
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

/** What is signed: every file but the signature itself and a repository's own, which signatures leave out. */
function split(skill: Skill): { readonly covered: readonly string[]; readonly left: readonly string[] } {
  const paths = [...skill.files.keys()].filter((path) => path !== signatureFileName).sort();
  const isLeft = (path: string): boolean => gitPaths.includes(path.split("/", 1)[0] ?? "");
  return { covered: paths.filter((path) => !isLeft(path)), left: paths.filter(isLeft) };
}

function sign(
  skill: Skill,
  key: KeyObject,
  certificates: readonly X509Certificate[] | undefined,
): Uint8Array {
  try {
    return signOms(skill, certificates === undefined ? { key } : { key, certificates });
  } catch (cause) {
    if (cause instanceof SignatureError) throw new UsageError(cause.message, undefined, { cause });
    throw cause;
  }
}

/** Reads the signature as a verifier would: what this program would refuse, it never writes. */
function checked(skill: Skill, bytes: Uint8Array, key: KeyObject, now: number): SignatureEvidence {
  const publicKey = createPublicKey(key);
  const fingerprint = keyFingerprint(publicKey);
  const trust = { version: fingerprint, anchors: [], keys: [{ names: [], fingerprint, key: publicKey }] };
  const files = new Map([...skill.files, [signatureFileName, new SkillFile(bytes)]]);
  const evidence = verifySignature({ ...skill, files }, trust, now);
  const unknownRoot =
    evidence.outcome === "untrusted" && evidence.fault === "UNTRUSTED_SIGNER" && evidence.selfConsistent;
  if (evidence.outcome === "signed" || unknownRoot) return evidence;
  const detail = evidence.outcome === "untrusted" ? evidence.detail : evidence.outcome;
  throw new UsageError(`the signature would not be accepted: ${detail}`, "use another key or certificate");
}

function summary(
  directory: string,
  skill: Skill,
  evidence: SignatureEvidence,
  options: SignOptions & { readonly hint: string },
): string {
  const { covered, left } = split(skill);
  const signer = evidence.outcome === "unsigned" ? undefined : evidence.signer;
  const trust =
    options.certificateChain === undefined ? "--public-key PUBLIC_KEY_FILE" : "--certificate-chain ROOT_FILE";
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
    ...(signer?.kind === "certificate" ? [] : [`key hint  ${options.hint}`]),
    `signature ${join(directory, signatureFileName)}`,
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
  await assertFree(join(directory, signatureFileName), options.force === true);
  const key = await readKey(options.key, line.passphrase);
  const chain =
    options.certificateChain === undefined ? undefined : await readChain(options.certificateChain);
  if (chain !== undefined) assertValid(options.certificateChain ?? "", chain, line.now());
  const whole = await readFolder(directory, line);
  const skill = { ...whole, files: new Map([...whole.files].filter(([path]) => path !== signatureFileName)) };
  const bytes = sign(skill, key, chain);
  const evidence = checked(skill, bytes, key, line.now());
  await writeAtomically(directory, signatureFileName, bytes);
  line.stdout.write(summary(directory, skill, evidence, { ...options, hint: keyHint(createPublicKey(key)) }));
  if (!["SKILL.md", "skill.md"].some((name) => skill.files.has(name)))
    line.stderr.write(`warning: ${directory} has no SKILL.md; is it the folder of a skill?\n`);
  return exitCode.pass;
}
