import type { SignatureEvidence } from "../../signature/signature-evidence.ts";
import type { Finding } from "../finding.ts";

/**
 * Is the signature past the day until which its own maker wanted it relied on. A trust card states such a day without
 * signing it: somebody else may have put it off, which is no reason to overlook one that has come.
 *
 * @param now milliseconds since 1970
 */
export function expiryFindings(signature: SignatureEvidence, now: number): readonly Finding[] {
  if (signature.outcome !== "signed" || signature.expires === undefined || now <= signature.expires)
    return [];
  const day = new Date(signature.expires).toISOString().slice(0, 10);
  return [{ code: "EXPIRED", message: `its card was to be relied on until ${day}`, tolerated: false }];
}
