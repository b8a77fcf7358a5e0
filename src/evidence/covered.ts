import type { SignatureEvidence } from "../signature/signature-evidence.ts";

/**
 * Whether a trusted signer vouches for the file at this path: the tree is exactly the signed one, and the signature
 * does not ignore the path. A tampered tree covers nothing, not even its unchanged files: the signer may not have
 * signed them beside the changed ones.
 * @param path of a file in the skill
 */
export const isCovered = (signature: SignatureEvidence, path: string): boolean =>
  signature.outcome === "signed" && !signature.unlisted.includes(path);
