import { SignatureError } from "../signature-error.ts";
import type { SigstoreRoot } from "../trust-material.ts";
import { knowsLogs, proveSigning } from "./prove.ts";
import { assertLogged, type SignedSubject } from "./subject.ts";

/** One Sigstore root by which a signature was proved. */
export interface Proof {
  readonly root: SigstoreRoot;
  /** Milliseconds since 1970; absent where a key signed and nobody stated the time. */
  readonly signedAt?: number;
}

export type ProofResult =
  | { readonly proofs: readonly [Proof, ...Proof[]] }
  | { readonly proofs: readonly []; readonly refusal: SignatureError };

/** Roots that are tried for one signature. */
const maxRoots = 8;

function proveBy(subject: SignedSubject, root: SigstoreRoot, now?: number): Proof | SignatureError {
  try {
    const signedAt = proveSigning(subject, root, now);
    return { root, ...(signedAt === undefined ? {} : { signedAt }) };
  } catch (cause) {
    if (cause instanceof SignatureError) return cause;
    throw cause;
  }
}

const noRoot = (roots: readonly SigstoreRoot[]): SignatureError =>
  new SignatureError(
    "UNTRUSTED_SIGNER",
    roots.length === 0
      ? "no Sigstore root is trusted here"
      : "its transparency log is in no trusted Sigstore root",
  );

/**
 * Proves a signature by all roots that can, for policies may trust different ones; or says why none can.
 * @param now milliseconds since 1970, at which logs have to be trusted where a key's signature states no time
 */
export function proofsOf(subject: SignedSubject, roots: readonly SigstoreRoot[], now?: number): ProofResult {
  try {
    assertLogged(subject);
  } catch (cause) {
    if (cause instanceof SignatureError) return { proofs: [], refusal: cause };
    throw cause;
  }
  const results = roots
    .filter((root) => knowsLogs(root, subject.proof))
    .slice(0, maxRoots)
    .map((root) => proveBy(subject, root, now));
  const [first, ...others] = results.filter((result): result is Proof => !(result instanceof SignatureError));
  if (first !== undefined) return { proofs: [first, ...others] };
  const refusal = results.findLast((result) => result instanceof SignatureError);
  return { proofs: [], refusal: refusal ?? noRoot(roots) };
}

/** The earliest time that was proved, milliseconds since 1970. */
export function earliest(proofs: readonly Proof[]): { readonly signedAt?: number } {
  const times = proofs.flatMap(({ signedAt }) => (signedAt === undefined ? [] : [signedAt]));
  return times.length === 0 ? {} : { signedAt: Math.min(...times) };
}
