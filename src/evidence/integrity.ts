import type { SignatureEvidence } from "../signature/signature-evidence.ts";
import type { SignatureFault } from "../signature/signature-error.ts";
import type { Grade } from "./grade.ts";

/**
 * Grades "are these the signed bytes?":
 *
 * - STRONG: every listed file is there and equal, and nothing is unlisted but the signature file;
 * - MEDIUM: the same, but unlisted files stand in paths that the signature tells verifiers to ignore;
 * - UNVERIFIED: it cannot be told. The list is in a format that is not understood; or the tree equals its list, but
 *   nobody whom anyone here trusts stands behind that list (unknown or expired signer);
 * - ABSENT: a file differs, is missing or was added; the list is malformed or its signature wrong; or there is none.
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
