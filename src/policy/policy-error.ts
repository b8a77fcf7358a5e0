/** Reasons why a policy, trust root or revocation list cannot be used; also the `reason` of its Ready condition. */
export type PolicyErrorCode =
  /** The resource breaks its schema. */
  | "Invalid"
  /** A PEM text or trusted root cannot be read, or holds keys or certificates that cannot be used. */
  | "UnusableTrust"
  /** The resource refers to a trust root, or a key of one, that is missing or unusable. */
  | "TrustRootMissing"
  /** A revocation list that the policy names is missing, or a list that concerns it cannot be read. */
  | "RevocationListMissing"
  /** Another resource of the same kind has the same name. */
  | "Duplicate"
  /** The API server removed fields of the resource that somebody had written: its CustomResourceDefinition became older. */
  | "FieldsLost"
  /** The CustomResourceDefinition lacks fields that this version knows: those that are absent may have been written. */
  | "SchemaTooOld";

/** A resource cannot be used as written. The message names the field and ends with the remedy. */
export class PolicyError extends Error {
  override readonly name = "PolicyError";
  readonly code: PolicyErrorCode;

  constructor(code: PolicyErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
