/** Why a skill failed a policy. Stable: dashboards, scripts and auditors depend on the words. */
export const reasons = [
  "UNSIGNED",
  "BAD_SIGNATURE",
  "UNTRUSTED_SIGNER",
  "SIGNER_EXPIRED",
  "DIGEST_MISMATCH",
  "FILE_MISSING",
  "FILE_UNSIGNED",
  "MANIFEST_MALFORMED",
  "UNSUPPORTED_FORMAT",
  "CARD_MISSING",
  "CARD_INCOMPLETE",
  "RISK_UNMITIGATED",
  "LICENSE_NOT_ALLOWED",
  "PERMISSION_DENIED",
  "GRADE_BELOW_MINIMUM",
  "SKILL_NOT_ALLOWED",
  "SOURCE_UNVERIFIABLE",
  "SOURCE_UNAVAILABLE",
  "SOURCE_MALFORMED",
  "NOT_IMMUTABLE",
  "WRITABLE_MOUNT",
  "LIMIT_EXCEEDED",
  "TIMEOUT",
  "INTERNAL",
] as const;

export type Reason = (typeof reasons)[number];
