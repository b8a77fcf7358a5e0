import type { Skill } from "../../skill/skill.ts";
import { malformed, SignatureError } from "../signature-error.ts";
import { evidenceOf, trusted, untrusted, type SignatureEvidence } from "../signature-evidence.ts";
import type { SigstoreTrust } from "../sigstore/root/sigstore-root.ts";
import type { KeyTrust } from "../trusted-key.ts";
import { hasCardData, readTrustCard, trustCardFileName, type TrustCard } from "./card-file.ts";
import { compareTree } from "./compare.ts";
import { verifySigner } from "./signer.ts";
import { cardBundleFileName } from "./signing.ts";

const format = "trust-card";

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

function verifyCard({ files }: Skill, path: string, trust: KeyTrust & SigstoreTrust): SignatureEvidence {
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
    return untrusted(format, refusal, { digest, differences, ...rest });
  }
  return trusted(format, { digest, signer: by.signer, differences, unlisted, ...endOf(card) });
}

/**
 * Verifies a trust card (`CARD.md`, with `CARD.manifest.json` and `CARD.md.sigstore`): reads it, then checks list, tree and
 * signer. Only the digest is signed. What else the card says, its attestations above all, is proof of nothing, so that
 * the card itself counts among the files that nobody signed; its day of expiry is told, for that can only refuse. The
 * digest of the evidence is the card's `target_digest`.
 * @param path the card's path in the skill
 */
export const verifyTrustCard = (
  skill: Skill,
  path: string,
  trust: KeyTrust & SigstoreTrust,
): SignatureEvidence => evidenceOf(format, () => verifyCard(skill, path, trust));
