import { sha256 } from "../../skill/digest.ts";
import type { Skill } from "../../skill/skill.ts";
import { addedDifferences, listedDifferences, type Difference } from "../compare.ts";
import { always } from "../validity.ts";
import type { TrustedKey } from "../trusted-key.ts";
import { isEd25519, verifyEd25519 } from "../ed25519.ts";
import { SignatureError } from "../signature-error.ts";
import { type SignatureEvidence } from "../signature-evidence.ts";
import type { TrustMaterial } from "../trust-material.ts";
import { parseManifest, parseSignatureFile, type GuideManifest } from "./manifest.ts";

const common = { format: "guide", validity: always } as const;

/** Keys that are tried, for the format names none; as in the OMS format. */
export const maxTriedKeys = 32;
/** Bytes that may be digested doing so. */
const maxTriedBytes = 8 * 1024 * 1024;

/** Whose keys could have signed, and how many of them are tried. */
function candidatesOf(
  { keys }: TrustMaterial,
  manifestBytes: number,
): { readonly tried: readonly TrustedKey[]; readonly total: number } {
  const usable = keys.filter(({ key }) => isEd25519(key));
  const affordable = Math.max(1, Math.floor(maxTriedBytes / Math.max(1, manifestBytes)));
  return { tried: usable.slice(0, Math.min(maxTriedKeys, affordable)), total: usable.length };
}

/** What was tried, by the keys' fingerprints: their names are other policies' too. */
function refusalOf(tried: readonly TrustedKey[], total: number): string {
  if (total === 0) return "no Ed25519 key is trusted here, which this format is signed with";
  const named = tried.slice(0, 3).map(({ fingerprint }) => `${fingerprint.slice(0, 16)}…`);
  const shown = [...named, ...(tried.length > 3 ? ["…"] : [])].join(", ");
  const count = tried.length === total ? `${total}` : `${total}, of which ${tried.length} were tried`;
  return `the signature fits none of the trusted Ed25519 keys (${count}: ${shown}): another key signed, or the manifest or signature was changed; the format names no key, so that it cannot be told which`;
}

/**
 * Holds a tree against a signed list: every listed file there and equal, and nothing else but the signature file itself.
 * A file of its name in a folder below, which the guide's own code passes over, is one that was not signed.
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

function verifyFile(skill: Skill, signaturePath: string, trust: TrustMaterial): SignatureEvidence {
  const file = parseSignatureFile(skill.files.get(signaturePath)?.bytes ?? new Uint8Array());
  const manifest = parseManifest(file.manifest);
  const signed = Buffer.from(file.manifest);
  const digest = sha256(signed);
  const { tried, total } = candidatesOf(trust, signed.byteLength);
  const by = tried.find(({ key }) => verifyEd25519(key, signed, file.signature));
  const differences = compareTree(skill, signaturePath, manifest);
  if (by === undefined) {
    const detail = refusalOf(tried, total);
    const refused = { outcome: "untrusted", fault: "UNTRUSTED_SIGNER", selfConsistent: false } as const;
    return { ...common, ...refused, detail, digest, differences };
  }
  const signer = { kind: "key", publicKey: by.fingerprint, names: by.names } as const;
  return differences.length === 0
    ? { ...common, outcome: "signed", digest, signer, unlisted: [] }
    : { ...common, outcome: "tampered", digest, signer, differences, unlisted: [] };
}

/**
 * Verifies a signature in the guide's format (`skill.sig`): reads it, then checks signature, signer and tree. The digest
 * of the evidence is SHA-256 over the signed text.
 * @param signaturePath the signature file's path in the skill; it must be there
 */
export function verifyGuide(skill: Skill, signaturePath: string, trust: TrustMaterial): SignatureEvidence {
  try {
    return verifyFile(skill, signaturePath, trust);
  } catch (cause) {
    if (!(cause instanceof SignatureError)) throw cause;
    const refused = { outcome: "untrusted", fault: cause.code, selfConsistent: false } as const;
    return { ...common, ...refused, detail: cause.message };
  }
}
