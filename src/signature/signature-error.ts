/** Why a signature proves nothing. */
export type SignatureFault =
  /** The signature's mathematics do not check out, or its key usage forbids signing. */
  | "BAD_SIGNATURE"
  /** It checks out, but under no key or root that anyone here trusts. */
  | "UNTRUSTED_SIGNER"
  /** The signer's certificate, or one above it, was revoked by its issuer's list. */
  | "REVOKED"
  /** The signer's certificate, one above it, or the list of revoked ones is outside its validity at the time of review. */
  | "SIGNER_EXPIRED"
  /** The signature file, its payload or its list of files breaks a rule of the format. */
  | "MANIFEST_MALFORMED"
  /** A format, algorithm or version that is not understood. */
  | "UNSUPPORTED_FORMAT";

/** Why a signature file or a certificate cannot be used. The message is one sentence, with the remedy where there is one. */
export class SignatureError extends Error {
  override readonly name = "SignatureError";
  readonly code: SignatureFault;

  constructor(code: SignatureFault, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** A breach of the format's rules. */
export const malformed = (message: string, options?: ErrorOptions): SignatureError =>
  new SignatureError("MANIFEST_MALFORMED", message, options);

/** A version, method or algorithm that is not understood. */
export const unsupported = (message: string): SignatureError =>
  new SignatureError("UNSUPPORTED_FORMAT", message);
