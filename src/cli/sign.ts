import { createPrivateKey, createPublicKey, randomBytes, X509Certificate, type KeyObject } from "node:crypto";
import { lstat, open, readFile, rename, unlink } from "node:fs/promises";
import { join } from "node:path";

import { signOms, type OmsSigner } from "../signature/oms/sign.ts";
import { verifySignature } from "../signature/verify.ts";
import { sha256Hex } from "../skill/digest.ts";
import { SkillFile, type Skill } from "../skill/skill.ts";
import { exitCode, UsageError, type CommandLine, type ExitCode } from "./command-line.ts";
import { readFolder } from "./read-folder.ts";
import { signerName } from "./report/skill-document.ts";

export interface SignOptions {
  readonly key: string;
  readonly certificateChain?: string;
  readonly force?: boolean;
}

const signatureName = "skill.oms.sig";

async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, "latin1");
  } catch (cause) {
    throw new UsageError(`cannot read ${file}: ${(cause as Error).message}`, undefined, { cause });
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
