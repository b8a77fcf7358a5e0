/** Code of a signature's fault. */
export type SignatureFault =
  /** The signature does not verify, or the key usage forbids signing. */
  | "BAD_SIGNATURE"
  /** The signature verifies, but under no trusted key or root. */
  | "UNTRUSTED_SIGNER"
  /** The signer's certificate, or one above it, is on its issuer's revocation list (CRL). */
  | "REVOKED"
  /** The signer's certificate, one above it, or a CRL of its chain is outside its validity at the time of review. */
  | "SIGNER_EXPIRED"
  /** The signature file, its payload or its list of files violates the format. */
  | "MANIFEST_MALFORMED"
  /** The format, algorithm or version is not supported. */
  | "UNSUPPORTED_FORMAT";

/** A signature file or certificate cannot be used. The message is one sentence, with the remedy if there is one. */
export class SignatureError extends Error {
  override readonly name = "SignatureError";
  readonly code: SignatureFault;

  constructor(code: SignatureFault, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** A violation of the format. */
export const malformed = (message: string, options?: ErrorOptions): SignatureError =>
  new SignatureError("MANIFEST_MALFORMED", message, options);

/** An unsupported version, method or algorithm. */
export const unsupported = (message: string): SignatureError =>
  new SignatureError("UNSUPPORTED_FORMAT", message);
