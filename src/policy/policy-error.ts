/** Why a policy, trust root or revocation list cannot be used; also the `reason` of its Ready condition. */
export type PolicyErrorCode =
  /** The resource breaks its schema. */
  | "Invalid"
  /** A PEM text that cannot be read, or holds what cannot sign or anchor. */
  | "UnusableTrust"
  /** It refers to a trust root, or a key of one, that is missing or unusable. */
  | "TrustRootMissing"
  /** A SkillRevocationList that it names is missing, or one of all lists is unusable. */
  | "RevocationListMissing"
  /** Another resource of the same kind has the same name. */
  | "Duplicate";

/** A policy or trust root that cannot be used as written. The message names the field, and ends with what to do. */
export class PolicyError extends Error {
  override readonly name = "PolicyError";
  readonly code: PolicyErrorCode;

  constructor(code: PolicyErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
