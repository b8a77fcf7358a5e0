import { createPrivateKey, X509Certificate, type KeyObject } from "node:crypto";
import { readFile } from "node:fs/promises";

import { printable } from "../../text/printable.ts";
import { sha256Hex } from "../../skill/digest.ts";
import type { Skill } from "../../skill/skill.ts";
import { UsageError } from "../command-line.ts";
import { ioMessage, pemRemedy } from "../files/file-faults.ts";

async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, "latin1");
  } catch (cause) {
    throw new UsageError(`cannot read ${file}: ${ioMessage(cause)}`, undefined, { cause });
  }
}

const isEncrypted = (pem: string): boolean =>
  pem.includes("-----BEGIN ENCRYPTED PRIVATE KEY-----") || /^Proc-Type: 4,ENCRYPTED/m.test(pem);

/**
 * Reads the private key in a PEM file.
 * @throws UsageError
 */
export async function readPrivateKey(file: string, passphrase: string | undefined): Promise<KeyObject> {
  const pem = await readText(file);
  if (isEncrypted(pem) && passphrase === undefined) {
    throw new UsageError(`the key ${file} is encrypted`, "set SKILL_ADMISSION_KEY_PASSPHRASE");
  }
  try {
    return createPrivateKey(passphrase === undefined ? pem : { key: pem, passphrase });
  } catch (cause) {
    // OpenSSL's message does not tell these two apart.
    throw isEncrypted(pem)
      ? new UsageError(`the passphrase does not open ${file}`, "correct SKILL_ADMISSION_KEY_PASSPHRASE", {
          cause,
        })
      : new UsageError(`${file} holds no private key in PEM`, pemRemedy("PRIVATE KEY", file, pem), { cause });
  }
}

/**
 * Refuses a key inside the skill's folder: it would be signed and distributed with the skill.
 * @throws UsageError
 */
export async function assertNotAmong(files: Skill["files"], key: string): Promise<void> {
  const digest = sha256Hex(Buffer.from(await readText(key), "latin1"));
  const [path] = [...files].find(([, file]) => file.sha256 === digest) ?? [];
  if (path === undefined) return;
  throw new UsageError(
    `the private key ${key} is one of the skill's own files, ${printable(path)}`,
    "move it out of the folder; if the skill was given away with it, replace the key",
  );
}

/** Refuses certificates with which no verifier would accept the signature. */
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

/**
 * Reads the certificates in a PEM file, in its order; all must be valid now.
 * @param now milliseconds since 1970
 * @throws UsageError
 */
export async function readChain(file: string, now: number): Promise<readonly X509Certificate[]> {
  const text = await readText(file);
  const found = text.match(/-----BEGIN CERTIFICATE-----[^-]{1,65536}-----END CERTIFICATE-----/g);
  if (found === null) {
    throw new UsageError(`${file} holds no certificate in PEM`, pemRemedy("CERTIFICATE", file, text));
  }
  let certificates: readonly X509Certificate[];
  try {
    certificates = found.map((pem) => new X509Certificate(pem));
  } catch (cause) {
    throw new UsageError(`${file} holds a certificate that cannot be read`, undefined, { cause });
  }
  assertValid(file, certificates, now);
  return certificates;
}
