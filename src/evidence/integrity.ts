import type { SignatureEvidence } from "../signature/signature-evidence.ts";
import type { SignatureFault } from "../signature/signature-error.ts";
import type { Grade } from "./grade.ts";

/**
 * Grades "are these the signed bytes?":
 *
 * - STRONG: every listed file is there and equal, and only the signature file is unlisted;
 * - MEDIUM: the same, but with unlisted files in paths that the signature ignores;
 * - UNVERIFIED: the list's format is not supported; or the tree equals its list, but the signer is unknown, expired
 *   or revoked;
 * - ABSENT: a file differs, is missing or was added; the list is malformed; the signature is wrong; or there is none.
 */
export function gradeIntegrity(signature: SignatureEvidence): Grade {
  switch (signature.outcome) {
    case "signed":
      return signature.unlisted.length === 0 ? "STRONG" : "MEDIUM";
    case "tampered":
    case "unsigned":
      return "ABSENT";
    case "untrusted":
      if ((signature.differences?.length ?? 0) > 0) return "ABSENT";
      return gradeOfFault(signature.fault);
  }
}

function gradeOfFault(fault: SignatureFault): Grade {
  switch (fault) {
    case "BAD_SIGNATURE":
    case "MANIFEST_MALFORMED":
      return "ABSENT";
    case "UNTRUSTED_SIGNER":
    case "SIGNER_EXPIRED":
    case "REVOKED":
    case "UNSUPPORTED_FORMAT":
      return "UNVERIFIED";
  }
}
