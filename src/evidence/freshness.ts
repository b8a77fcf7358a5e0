import type { SignatureEvidence, Signer } from "../signature/signature-evidence.ts";
import type { Grade } from "./grade.ts";

/**
 * The time of signing, milliseconds since 1970, as proved by a log or timestamp authority; undefined if only the
 * signer states it.
 */
export const signingTime = (signer: Signer): number | undefined =>
  "signedAt" in signer ? signer.signedAt : undefined;

/** Milliseconds by which a proved time may lie in the future: clocks differ. */
const maxLead = 5 * 60 * 1000;

/** Whether a time of signing lies in the future: a clock is then wrong, and the age of the signature is unknown. */
export const isYetToCome = (signedAt: number, now: number): boolean => signedAt - now > maxLead;

/**
 * Grades "is it still current?". `signed` includes that the signer's certificate was valid at the time of signing, or
 * at the review if that time is not proved.
 *
 * - MEDIUM: the time of signing is proved, and neither the maximum age nor the expiry in the signature file is
 *   exceeded;
 * - WEAK: the time of signing is not proved, or lies in the future, and the signature has not expired;
 * - UNVERIFIED: the files are not the signed ones, or no signature proves anything;
 * - ABSENT: expired, older than the maximum, or the signer's certificate is expired or revoked.
 *
 * @param now milliseconds since 1970
 * @param maxAge milliseconds; default: any age
 */
export function gradeFreshness(signature: SignatureEvidence, now: number, maxAge = Infinity): Grade {
  switch (signature.outcome) {
    case "signed": {
      if (signature.expires !== undefined && now > signature.expires) return "ABSENT";
      const signedAt = signingTime(signature.signer);
      if (signedAt === undefined || isYetToCome(signedAt, now)) return "WEAK";
      return now - signedAt > maxAge ? "ABSENT" : "MEDIUM";
    }
    case "tampered":
    case "unsigned":
      return "UNVERIFIED";
    case "untrusted":
      return signature.fault === "SIGNER_EXPIRED" || signature.fault === "REVOKED" ? "ABSENT" : "UNVERIFIED";
  }
}
