import type { SignatureEvidence } from "../signature/signature-evidence.ts";
import type { Grade } from "./grade.ts";

/**
 * Grades "who signed?", whether or not the tree was changed afterwards:
 *
 * - STRONG: a publisher of the policy that asks;
 * - MEDIUM: a certificate under a trusted root, or a pinned key, that is no publisher of this policy;
 * - WEAK: the signature is valid, by a key that nobody here knows;
 * - UNVERIFIED: it cannot be told: the format is not understood, or the unknown key is not at hand to check with;
 * - ABSENT: no signature, or one that is invalid or whose signer's certificate is out of date or revoked.
 *
 * @param isPublisher does one of the policy's publishers match the signer. Counts only for a trusted signer.
 */
export function gradeAuthorship(signature: SignatureEvidence, isPublisher: boolean): Grade {
  switch (signature.outcome) {
    case "signed":
    case "tampered":
      return isPublisher ? "STRONG" : "MEDIUM";
    case "unsigned":
      return "ABSENT";
    case "untrusted":
      switch (signature.fault) {
        case "UNTRUSTED_SIGNER":
          return signature.selfConsistent ? "WEAK" : "UNVERIFIED";
        case "UNSUPPORTED_FORMAT":
          return "UNVERIFIED";
        case "BAD_SIGNATURE":
        case "MANIFEST_MALFORMED":
        case "SIGNER_EXPIRED":
        case "REVOKED":
          return "ABSENT";
      }
  }
}
