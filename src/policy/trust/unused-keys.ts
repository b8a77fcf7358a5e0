import { isEd25519 } from "../../signature/ed25519.ts";
import { guideSignatureFileName } from "../../signature/guide/manifest.ts";
import { maxTriedKeys, type KeyTrust } from "../../signature/trusted-key.ts";
import type { TrustRoots } from "./trust-root.ts";

/** A sentence about a trust root. */
interface Said {
  /** `metadata.name` of the trust root. */
  readonly name: string;
  readonly message: string;
}

/**
 * What trust roots bring that never comes to be tried: the guide's format names no key, and of all Ed25519 keys of the
 * cluster only so many are. One sentence for each trust root that has such a key.
 */
export function unusedKeys(roots: TrustRoots, { keys }: KeyTrust): readonly Said[] {
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
