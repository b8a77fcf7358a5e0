/** Reason why bytes are not available; each is a reason code of denials. */
export type SourceErrorCode = "SOURCE_UNAVAILABLE" | "SOURCE_MALFORMED" | "LIMIT_EXCEEDED" | "TIMEOUT";

/** A source that could not be read, or that breaks a limit or rule for skills. The message names the object. */
export class SourceError extends Error {
  override readonly name = "SourceError";
  readonly code: SourceErrorCode;

  constructor(code: SourceErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
