import type { Skill } from "../../skill/skill.ts";
import { malformed, SignatureError } from "../signature-error.ts";
import { type SignatureEvidence } from "../signature-evidence.ts";
import { always } from "../validity.ts";
import type { TrustMaterial } from "../trust-material.ts";
import { hasCardData, readTrustCard, trustCardFileName, type TrustCard } from "./card-file.ts";
import { compareTree } from "./compare.ts";
import { verifySigner } from "./signer.ts";
import { cardBundleFileName } from "./signing.ts";

const common = { format: "trust-card", validity: always } as const;

/**
 * Does a skill claim a trust card's signature: a card that says so, or that cannot be read, or a signature file without
 * one. A CARD.md without the comment of this format is some other text, and a card with `signing: null` is no signature.
 */
export function hasTrustCardSignature({ files }: Skill): boolean {
  if (files.has(cardBundleFileName)) return true;
  const card = files.get(trustCardFileName);
  if (card === undefined || !hasCardData(card.bytes)) return false;
  try {
    return readTrustCard(card.bytes).signing !== undefined;
  } catch (cause) {
    if (cause instanceof SignatureError) return true;
    throw cause;
  }
}

/** The day itself still counts, to its end in UTC, as the format's tool has it. */
const endOf = ({ expires }: TrustCard): { readonly expires?: number } =>
  expires === undefined ? {} : { expires: Date.parse(`${expires}T23:59:59.999Z`) };

function verifyCard({ files }: Skill, path: string, trust: TrustMaterial): SignatureEvidence {
  const file = files.get(path);
  if (file === undefined)
    throw malformed(`${cardBundleFileName} is there, but the card that it signs is not`);
  const card = readTrustCard(file.bytes);
  if (card.signing === undefined)
    throw malformed(`${cardBundleFileName} is there, but the card does not say that it is signed`);
  const { digest } = card;
  const { differences, unlisted } = compareTree(card, files);
  const by = verifySigner(card, card.signing, files.get(cardBundleFileName), trust);
  if ("refusal" in by) {
    const { refusal, ...rest } = by;
    const refused = { outcome: "untrusted", fault: refusal.code, detail: refusal.message } as const;
    return { ...common, ...refused, digest, differences, ...rest };
  }
  const { signer } = by;
  return differences.length === 0
    ? { ...common, outcome: "signed", digest, signer, unlisted, ...endOf(card) }
    : { ...common, outcome: "tampered", digest, signer, differences, unlisted, ...endOf(card) };
}

/**
 * Verifies a trust card (`CARD.md`, with `CARD.manifest.json` and `CARD.md.sigstore`): reads it, then checks list, tree and
 * signer. Only the digest is signed. What else the card says, its attestations above all, is proof of nothing, so that
 * the card itself counts among the files that nobody signed; its day of expiry is told, for that can only refuse. The
 * digest of the evidence is the card's `target_digest`.
 * @param path the card's path in the skill
 */
export function verifyTrustCard(skill: Skill, path: string, trust: TrustMaterial): SignatureEvidence {
  try {
    return verifyCard(skill, path, trust);
  } catch (cause) {
    if (!(cause instanceof SignatureError)) throw cause;
    const refused = { outcome: "untrusted", fault: cause.code, selfConsistent: false } as const;
    return { ...common, ...refused, detail: cause.message };
  }
}
