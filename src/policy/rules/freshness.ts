import type { SignatureEvidence, Signer } from "../../signature/signature-evidence.ts";
import type { Finding } from "../finding.ts";
import type { Policy } from "../policy.ts";

/**
 * When a signature was made, as a log or timestamp authority proved it; milliseconds since 1970. Undefined where
 * nobody but the signer could tell.
 */
export const signingTime = (signer: Signer): number | undefined =>
  "signedAt" in signer ? signer.signedAt : undefined;

const day = 24 * 3600 * 1000;

/** Whole days, or hours where it is less than two days. */
const spanText = (milliseconds: number): string =>
  milliseconds < 2 * day
    ? `${Math.floor(milliseconds / 3_600_000)} hours`
    : `${Math.floor(milliseconds / day)} days`;

/**
 * Is the signature that counts as young as the policy demands. A signature that is refused for another reason has a
 * finding of its own, and an unsigned skill has no signature that could be old.
 *
 * @param now milliseconds since 1970
 */
export function freshnessFindings(
  { freshness }: Policy,
  signature: SignatureEvidence,
  now: number,
): readonly Finding[] {
  if (freshness === undefined || signature.outcome !== "signed") return [];
  const signedAt = signingTime(signature.signer);
  const { maxSignatureAge, written } = freshness;
  if (signedAt === undefined) {
    const message = `no log or timestamp authority says when it was signed, and the policy demands a signature of at most ${written}`;
    return [{ code: "SIGNING_TIME_UNKNOWN", message, tolerated: false }];
  }
  const age = now - signedAt;
  if (age <= maxSignatureAge) return [];
  const when = new Date(signedAt).toISOString().replace(/\.\d+Z$/, "Z");
  const message = `signed at ${when}, ${spanText(age)} ago; the policy takes signatures of at most ${written}`;
  return [{ code: "EXPIRED", message, tolerated: false }];
}
