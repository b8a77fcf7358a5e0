import type { SignatureEvidence } from "../../signature/signature-evidence.ts";
import type { Finding } from "../finding.ts";

/**
 * Reports a signature past its expiry date. A trust card states that date without signing it: a date in the past
 * counts although someone else may have changed it.
 * @param now milliseconds since 1970
 */
export function expiryFindings(signature: SignatureEvidence, now: number): readonly Finding[] {
  if (signature.outcome !== "signed" || signature.expires === undefined || now <= signature.expires)
    return [];
  const day = new Date(signature.expires).toISOString().slice(0, 10);
  return [{ code: "EXPIRED", message: `its card was to be relied on until ${day}`, tolerated: false }];
}
