import { sha256 } from "../../skill/digest.ts";
import type { Skill } from "../../skill/skill.ts";
import { addedDifferences, listedDifferences, type Difference } from "../compare.ts";
import { isEd25519, verifyEd25519 } from "../ed25519.ts";
import { evidenceOf, trusted, untrusted, type SignatureEvidence } from "../signature-evidence.ts";
import { keySigner, triedKeys, type KeyTrust, type TrustedKey } from "../trusted-key.ts";
import { parseManifest, parseSignatureFile, type GuideManifest } from "./manifest.ts";

const format = "guide";

/** Names the tried keys by their fingerprints: their names may belong to other policies. */
function refusalOf(tried: readonly TrustedKey[], total: number): string {
  if (total === 0) return "no Ed25519 key is trusted here, which this format is signed with";
  const named = tried.slice(0, 3).map(({ fingerprint }) => `${fingerprint.slice(0, 16)}…`);
  const shown = [...named, ...(tried.length > 3 ? ["…"] : [])].join(", ");
  const count = tried.length === total ? `${total}` : `${total}, of which ${tried.length} were tried`;
  return `the signature fits none of the trusted Ed25519 keys (${count}: ${shown}): another key signed, or the manifest or signature was changed; the format names no key, so that it cannot be told which`;
}

/**
 * Compares a tree with the signed list: every listed file must be there and equal, and no other but the signature file
 * itself. A `skill.sig` in a folder below counts as added, though the guide's own code ignores it.
 */
function compareTree(
  { files }: Skill,
  signaturePath: string,
  manifest: GuideManifest,
): readonly Difference[] {
  return [
    ...listedDifferences(files, manifest.files),
    ...addedDifferences(files, (path) => path === signaturePath || manifest.files.has(path)),
  ];
}

function verifyFile(skill: Skill, signaturePath: string, trust: KeyTrust): SignatureEvidence {
  const file = parseSignatureFile(skill.files.get(signaturePath)?.bytes ?? new Uint8Array());
  const manifest = parseManifest(file.manifest);
  const signed = Buffer.from(file.manifest);
  const digest = sha256(signed);
  const usable = trust.keys.filter(({ key }) => isEd25519(key));
  const tried = triedKeys(usable, signed.byteLength);
  const by = tried.find(({ key }) => verifyEd25519(key, signed, file.signature));
  const differences = compareTree(skill, signaturePath, manifest);
  return by === undefined
    ? untrusted(
        format,
        { code: "UNTRUSTED_SIGNER", message: refusalOf(tried, usable.length) },
        { digest, differences },
      )
    : trusted(format, { digest, signer: keySigner(by), differences, unlisted: [] });
}

/**
 * Verifies a signature in the guide's format (`skill.sig`): signature, signer and tree. The digest of the evidence is
 * SHA-256 over the signed text.
 * @param signaturePath path of the signature file; it must be in the skill
 */
export const verifyGuide = (skill: Skill, signaturePath: string, trust: KeyTrust): SignatureEvidence =>
  evidenceOf(format, () => verifyFile(skill, signaturePath, trust));
