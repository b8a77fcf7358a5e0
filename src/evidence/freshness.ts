import type { SignatureEvidence, Signer } from "../signature/signature-evidence.ts";
import type { Grade } from "./grade.ts";

/**
 * When a signature was made, as a log or timestamp authority proved it; milliseconds since 1970. Undefined where
 * nobody but the signer could tell.
 */
export const signingTime = (signer: Signer): number | undefined =>
  "signedAt" in signer ? signer.signedAt : undefined;

/** How far a proved time may lie in the future: clocks differ a little. Milliseconds. */
const maxLead = 5 * 60 * 1000;

/**
 * Is a time of signing yet to come: then a clock is wrong, the log's, the timestamp authority's or this one, and how old the
 * signature is cannot be told.
 */
export const isYetToCome = (signedAt: number, now: number): boolean => signedAt - now > maxLead;

/**
 * Grades "is it still current?". That the signer's certificate was valid when it signed is part of `signed`; where
 * nobody proves that time, it was valid at the review.
 *
 * - MEDIUM: the time of signing is proved, and neither the age nor a day that the signature file names is past its limit;
 * - WEAK: nobody proves when it was signed, or the time that is proved is yet to come. Nothing says that it has expired;
 * - UNVERIFIED: it cannot be told: the files are not the signed ones, or nothing was proved by a signature at all;
 * - ABSENT: expired, older than the limit, or its signer's certificate is out of date or revoked.
 *
 * @param now milliseconds since 1970
 * @param maxAge the limit of whoever asks, milliseconds; undefined: any age
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
