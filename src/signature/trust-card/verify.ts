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
 * Whether a skill claims a trust card's signature: by a signature file, or by a card that is signed or unreadable. A
 * CARD.md without this format's comment is some other text; a card with `signing: null` is unsigned.
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

/** The day of expiry counts to its end in UTC, as in the format's tool. */
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
 * Verifies a trust card (`CARD.md`, with `CARD.manifest.json` and `CARD.md.sigstore`): list, tree and signer. Only the
 * digest is signed. The rest of the card, its attestations above all, proves nothing, so the card counts as unsigned;
 * its day of expiry is used nevertheless, for it can only refuse. The digest of the evidence is the card's
 * `target_digest`.
 * @param path path of the card in the skill
 */
export const verifyTrustCard = (
  skill: Skill,
  path: string,
  trust: KeyTrust & SigstoreTrust,
): SignatureEvidence => evidenceOf(format, () => verifyCard(skill, path, trust));
