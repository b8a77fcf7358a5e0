import type { SignatureEvidence } from "../signature/signature-evidence.ts";
import type { Grade } from "./grade.ts";

/**
 * Grades "who signed?", whether or not the tree was changed afterwards:
 *
 * - STRONG: a publisher of the asking policy;
 * - MEDIUM: a certificate under a trusted root, or a pinned key, that is no publisher of this policy;
 * - WEAK: a valid signature by an unknown key;
 * - UNVERIFIED: the format is not supported, or the unknown key is not at hand to check with;
 * - ABSENT: no signature, an invalid one, or one whose signer's certificate is expired or revoked.
 *
 * @param isPublisher whether a publisher of the policy matches the signer; counts only for a trusted signer
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
