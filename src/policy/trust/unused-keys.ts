import { isEd25519 } from "../../signature/ed25519.ts";
import { guideSignatureFileName } from "../../signature/guide/manifest.ts";
import { maxTriedKeys, type KeyTrust } from "../../signature/trusted-key.ts";
import type { TrustNote, TrustRoots } from "./trust-root.ts";

/**
 * Warns about keys that are never tried, one sentence for each trust root that has some: the guide's format names
 * no key, and only a limited number of the cluster's Ed25519 keys is tried.
 */
export function unusedKeys(roots: TrustRoots, { keys }: KeyTrust): readonly TrustNote[] {
  const ed25519 = keys.filter(({ key }) => isEd25519(key));
  const unused = new Set(ed25519.slice(maxTriedKeys).map(({ fingerprint }) => fingerprint));
  if (unused.size === 0) return [];
  return [...roots].flatMap(([name, root]) => {
    const entries = root === "unusable" ? [] : [...root.keys];
    const of = entries.filter(([, { fingerprint }]) => unused.has(fingerprint)).map(([entry]) => entry);
    if (of.length === 0) return [];
    const named = [...of.slice(0, 8), ...(of.length > 8 ? [`${of.length - 8} more`] : [])].join(", ");
    const message = `${guideSignatureFileName} files are not tried with ${named}: of the ${ed25519.length} Ed25519 keys of all trust roots and policies only the first ${maxTriedKeys} by fingerprint are; remove keys that nothing uses`;
    return [{ name, message }];
  });
}
