import type { Skill } from "../skill/skill.ts";
import { signatureFileName } from "./oms/manifest.ts";
import { guideSignatureFileName } from "./guide/manifest.ts";
import { verifyGuide } from "./guide/verify.ts";
import { verifyOms } from "./oms/verify.ts";
import { treeRootDigest } from "./oms/digest.ts";
import { type SignatureEvidence, type SignatureFormat } from "./signature-evidence.ts";
import { always } from "./validity.ts";
import { trustCardFileName } from "./trust-card/card-file.ts";
import { hasTrustCardSignature, verifyTrustCard } from "./trust-card/verify.ts";
import type { TrustMaterial } from "./trust-material.ts";
import { vettFileNames } from "./vett/manifest.ts";
import { verifyVett } from "./vett/verify.ts";

/** One signature format: the file that shows it, and who verifies it. */
interface Format {
  readonly name: SignatureFormat;
  /** Path of the signature file in a skill. */
  readonly path: string;
  /** Is there a signature, where the file alone does not tell. */
  readonly isIn?: (skill: Skill) => boolean;
  readonly verify: (skill: Skill, path: string, trust: TrustMaterial, now: number) => SignatureEvidence;
}

const oms: Format = { name: "oms", path: signatureFileName, verify: verifyOms };

/** All formats, in the order in which they are looked for. */
const formats: readonly Format[] = [
  oms,
  { name: "guide", path: guideSignatureFileName, verify: verifyGuide },
  { name: "vett", path: vettFileNames.bundle, verify: verifyVett },
  { name: "trust-card", path: trustCardFileName, isIn: hasTrustCardSignature, verify: verifyTrustCard },
];

/** Paths at which a signature may stand in a skill: files that no signature is about. */
export const signatureFileNames: readonly string[] = formats.map(({ path }) => path);

export interface VerifyOptions {
  /** The signature file's path in the skill, where it is not the format's own (`model.sig`). Read as OMS. */
  readonly signaturePath?: string;
}

/** Every format whose signature file is there: none hides another. */
const detect = (skill: Skill, { signaturePath }: VerifyOptions): readonly Format[] =>
  (signaturePath === undefined ? formats : [{ ...oms, path: signaturePath }]).filter(({ path, isIn }) =>
    isIn === undefined ? skill.files.has(path) : isIn(skill),
  );

const order: readonly SignatureEvidence["outcome"][] = ["signed", "tampered", "untrusted", "unsigned"];

/**
 * Establishes who signed a skill, and whether it is still what was signed: by every signature in it. Synchronous and
 * pure; whatever the bytes hold, the answer is evidence, never an exception.
 *
 * @param trust all that is trusted here; roots come from nowhere else
 * @param now milliseconds since 1970, at which certificates must be valid
 * @returns one for each signature file, those that prove most first; where there is none, one that says so
 */
export function verifySignatures(
  skill: Skill,
  trust: TrustMaterial,
  now: number,
  options: VerifyOptions = {},
): readonly [SignatureEvidence, ...SignatureEvidence[]] {
  const found = detect(skill, options);
  const [first, ...others] = found
    .map(({ verify, path }) => ({
      ...verify(skill, path, trust, now),
      ...(found.length > 1 ? { path } : {}),
    }))
    .sort((one, other) => order.indexOf(one.outcome) - order.indexOf(other.outcome));
  return first === undefined
    ? [{ outcome: "unsigned", digest: treeRootDigest(skill.files), validity: always }]
    : [first, ...others];
}

/** The signature that proves most. */
export const verifySignature = (...asked: Parameters<typeof verifySignatures>): SignatureEvidence =>
  verifySignatures(...asked)[0];
