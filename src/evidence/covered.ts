import type { SignatureEvidence } from "../signature/signature-evidence.ts";

/**
 * Do a trusted signer's words stand behind the bytes at this path: the tree is exactly the signed one, and the path is
 * not among those that the signature ignores. A tree that was tampered with covers nothing, the files that did not
 * change included: which of them the signer would still sign in this company is not known.
 *
 * The path must be one of the skill's own.
 */
export const isCovered = (signature: SignatureEvidence, path: string): boolean =>
  signature.outcome === "signed" && !signature.unlisted.includes(path);
