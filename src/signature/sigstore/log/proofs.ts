import { defined } from "../../../text/fields.ts";
import { SignatureError, type SignatureFault } from "../../signature-error.ts";
import type { SigstoreRoot } from "../root/sigstore-root.ts";
import { knowsLogs, proveSigning } from "./prove.ts";
import { assertLogged, type SignedSubject } from "./subject.ts";

/** A root or registry that does not prove the signature. Another policy's root may require less. */
export interface Unproved {
  /** Fingerprint of the Sigstore root or registry. */
  readonly by: string;
  readonly code: SignatureFault;
  /** The missing proof, in words that follow a colon. */
  readonly why: string;
}

/** A Sigstore root that proves a signature. */
export interface Proof {
  readonly root: SigstoreRoot;
  /** Milliseconds since 1970; absent for a key's signature without a proved time. */
  readonly signedAt?: number;
}

/** A Sigstore root that knows the logs but does not prove the signature. */
export interface Refusal {
  readonly root: SigstoreRoot;
  readonly refusal: SignatureError;
}

export type ProofResult =
  | { readonly proofs: readonly [Proof, ...Proof[]]; readonly refusals: readonly Refusal[] }
  | { readonly proofs: readonly []; readonly refusals: readonly Refusal[]; readonly refusal: SignatureError };

/** Limit of roots tried for one signature. */
const maxRoots = 8;

function proveBy(subject: SignedSubject, root: SigstoreRoot, now?: number): Proof | Refusal {
  try {
    const signedAt = proveSigning(subject, root, now);
    return { root, ...defined({ signedAt }) };
  } catch (cause) {
    if (cause instanceof SignatureError) return { root, refusal: cause };
    throw cause;
  }
}

const tooMany = new SignatureError(
  "UNTRUSTED_SIGNER",
  `it was not tried: more than ${maxRoots} trusted Sigstore roots know its log`,
);

const noRoot = (roots: readonly SigstoreRoot[]): SignatureError =>
  new SignatureError(
    "UNTRUSTED_SIGNER",
    roots.length === 0
      ? "no Sigstore root is trusted here"
      : "its transparency log is in no trusted Sigstore root",
  );

/**
 * Proves a signature by every root that can, for policies may trust different ones; otherwise returns the refusal.
 * @param now milliseconds since 1970, at which logs must be trusted if a key's signature states no time
 */
export function proofsOf(subject: SignedSubject, roots: readonly SigstoreRoot[], now?: number): ProofResult {
  try {
    assertLogged(subject);
  } catch (cause) {
    if (cause instanceof SignatureError) return { proofs: [], refusals: [], refusal: cause };
    throw cause;
  }
  const knowing = roots.filter((root) => knowsLogs(root, subject.proof));
  const results = knowing.slice(0, maxRoots).map((root) => proveBy(subject, root, now));
  const refusals = [
    ...results.filter((result) => "refusal" in result),
    ...knowing.slice(maxRoots).map((root) => ({ root, refusal: tooMany })),
  ];
  const [first, ...others] = results.filter((result) => !("refusal" in result));
  if (first !== undefined) return { proofs: [first, ...others], refusals };
  const last = results.findLast((result) => "refusal" in result);
  return { proofs: [], refusals, refusal: last?.refusal ?? noRoot(roots) };
}

/** Converts refusals for evidence; empty if there are none. */
export const unprovedBy = (
  refusals: readonly Refusal[],
): { readonly unproved?: readonly [Unproved, ...Unproved[]] } => {
  const [first, ...others] = refusals.map(({ root, refusal }) => ({
    by: root.fingerprint,
    code: refusal.code,
    why: refusal.message,
  }));
  return first === undefined ? {} : { unproved: [first, ...others] };
};

/** The earliest proved time, milliseconds since 1970. */
export function earliest(proofs: readonly Proof[]): { readonly signedAt?: number } {
  const times = proofs.flatMap(({ signedAt }) => (signedAt === undefined ? [] : [signedAt]));
  return times.length === 0 ? {} : { signedAt: Math.min(...times) };
}
