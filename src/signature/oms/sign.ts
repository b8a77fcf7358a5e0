import { createPublicKey, sign, type KeyObject, type X509Certificate } from "node:crypto";
import { skillLimits } from "../../skill/limits.ts";
import { pathFault } from "../../skill/path.ts";
import type { Skill } from "../../skill/skill.ts";
import { bundleMediaType, maxCertificates } from "../sigstore/bundle.ts";
import { parseCertificate } from "../x509/certificate.ts";
import { assertLinked, assertMaySign } from "../x509/chain.ts";
import { signatureFileName } from "./manifest.ts";
import { inTotoPayloadType, preAuthEncoding } from "../sigstore/dsse.ts";
import { curveDigest, keyHint, type CurveDigest } from "../key.ts";
import { comparePaths, rootDigestOf } from "./digest.ts";
import { malformed, SignatureError, unsupported } from "../signature-error.ts";
import { quoted } from "../../text/printable.ts";
import { gitPaths, ignoredPaths } from "./ignore.ts";
import { predicateType, statementType } from "./statement.ts";

/** Signer: a key alone, or with the certificate that names its owner. */
export interface OmsSigner {
  /** Private key on P-256, P-384 or P-521. */
  readonly key: KeyObject;
  /** Leaf first, then each one's issuer. A root is left out: verifiers bring their own. */
  readonly certificates?: readonly X509Certificate[];
  /** Paths of other signatures' files, existing or still to come: the signature ignores them. */
  readonly leftOut?: readonly string[];
}

interface ListedFile {
  readonly name: string;
  readonly algorithm: "sha256";
  readonly digest: string;
}

/** Lists every file but the ignored ones: the signature's own, git's at the root, and `leftOut`. */
function listFiles(skill: Skill, leftOut: readonly string[]): readonly ListedFile[] {
  const ignored = ignoredPaths([signatureFileName, ...leftOut]);
  const files: ListedFile[] = [];
  for (const [name, file] of skill.files) {
    if (ignored.covers(name)) continue;
    const fault = pathFault(name);
    if (fault !== undefined)
      throw malformed(`cannot sign the file ${quoted(name)}: its name ${fault}; rename it`);
    files.push({ name, algorithm: "sha256", digest: file.sha256 });
  }
  if (files.length === 0) throw malformed(`the skill ${quoted(skill.name)} has no files to sign`);
  if (files.length > skillLimits.files) throw malformed(`the skill has more than ${skillLimits.files} files`);
  return files.sort((one, other) => comparePaths(one.name, other.name));
}

/**
 * Builds the statement of model-signing 1.1 to sign, indented like the reference signer's.
 * @param leftOut clean paths of another signature's files, existing or not
 * @throws SignatureError if there are no files, or names that are no clean paths
 */
export function omsStatement(skill: Skill, leftOut: readonly string[] = []): Buffer {
  if (skill.name === "" || !skill.name.isWellFormed())
    throw malformed("the skill's folder has no usable name");
  const resources = listFiles(skill, leftOut);
  const [, sha256] = rootDigestOf(resources.map(({ digest }) => digest)).split(":", 2);
  const serialization = {
    method: "files",
    hash_type: "sha256",
    allow_symlinks: false,
    ignore_paths: [...gitPaths, signatureFileName, ...leftOut].sort(),
  };
  const statement = {
    _type: statementType,
    subject: [{ name: skill.name, digest: { sha256 } }],
    predicateType,
    predicate: { serialization, resources },
  };
  return Buffer.from(JSON.stringify(statement, null, 2));
}

function digestOf(key: KeyObject): CurveDigest {
  const digest = key.type === "private" ? curveDigest(key) : undefined;
  if (digest === undefined)
    throw unsupported(
      "skills are signed with a private key on P-256, P-384 or P-521 (openssl ecparam -name prime256v1 -genkey -noout)",
    );
  return digest;
}

/** @throws SignatureError for a chain that would not verify, or that belongs to another key */
function chainOf(certificates: readonly X509Certificate[], publicKey: KeyObject): readonly X509Certificate[] {
  const chain = certificates.map((certificate, at) =>
    parseCertificate(certificate, `certificate ${at + 1} of the chain`),
  );
  const [leaf] = chain;
  if (leaf === undefined) throw malformed("the certificate chain is empty");
  if (!leaf.publicKey.equals(publicKey)) {
    throw new SignatureError(
      "BAD_SIGNATURE",
      `the key does not belong to the first certificate of the chain, ${leaf.subject.text}: put the signer's certificate first`,
    );
  }
  assertMaySign(leaf);
  assertLinked(chain);
  const kept = chain.filter(
    ({ subjectId, issuerId, x509 }, at) => at === 0 || subjectId !== issuerId || !x509.verify(x509.publicKey),
  );
  if (kept.length > maxCertificates)
    throw malformed(`the chain has more than ${maxCertificates} certificates`);
  return kept.map(({ x509 }) => x509);
}

function materialOf({ certificates }: OmsSigner, publicKey: KeyObject): object {
  if (certificates === undefined) return { publicKey: { hint: keyHint(publicKey) } };
  const chain = chainOf(certificates, publicKey);
  return {
    x509CertificateChain: { certificates: chain.map(({ raw }) => ({ rawBytes: raw.toString("base64") })) },
  };
}

/**
 * Signs a skill in OpenSSF Model Signing 1.1: the SHA-256 of every file, ordered by path components.
 * @returns the bytes of `skill.oms.sig`
 * @throws SignatureError for a signature that would not verify: no files, a name that is no clean path, an unsupported
 *   key, a certificate that may not sign or belongs to another key
 */
export function signOms(skill: Skill, signer: OmsSigner): Uint8Array {
  const digest = digestOf(signer.key);
  const publicKey = createPublicKey(signer.key);
  const material = materialOf(signer, publicKey);
  const payload = omsStatement(skill, signer.leftOut);
  const signature = sign(digest, preAuthEncoding(inTotoPayloadType, payload), {
    key: signer.key,
    dsaEncoding: "der",
  });
  const bundle = {
    mediaType: bundleMediaType,
    verificationMaterial: { ...material, tlogEntries: [] },
    dsseEnvelope: {
      payload: payload.toString("base64"),
      payloadType: inTotoPayloadType,
      signatures: [{ sig: signature.toString("base64"), keyid: "" }],
    },
  };
  return Buffer.from(JSON.stringify(bundle));
}
