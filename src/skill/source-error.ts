/** Why the bytes behind a reference could not be had; every code is a reason code of the product. */
export type SourceErrorCode = "SOURCE_UNAVAILABLE" | "SOURCE_MALFORMED" | "LIMIT_EXCEEDED" | "TIMEOUT";

/** A source that could not be read, or that holds what no skill may hold. The message names the object. */
export class SourceError extends Error {
  override readonly name = "SourceError";
  readonly code: SourceErrorCode;

  constructor(code: SourceErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
