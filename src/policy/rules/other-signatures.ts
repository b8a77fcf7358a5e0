import type { Evidence } from "../../evidence/evidence.ts";
import type { SignatureEvidence } from "../../signature/signature-evidence.ts";
import type { Difference } from "../../signature/compare.ts";
import type { Finding } from "../finding.ts";
import type { Policy } from "../policy.ts";
import { differenceFindings, type Explanation } from "./differences.ts";
import { expiryFindings } from "./expiry.ts";
import { isFreshEnough } from "./freshness.ts";
import { outsideTrustPeriod } from "./periods.ts";
import { isByPublisher } from "./publishers.ts";
import { explainAdded, reconcileSignatures } from "./reconcile-signatures.ts";
import { publisherFindings, untrustedFinding } from "./signature.ts";

/**
 * Rank of a signature, lowest best, by: publisher, in force, untampered, fresh, complete. Each criterion outweighs
 * all later ones.
 */
function rankOf(policy: Policy, one: SignatureEvidence, now: number): number {
  const isStale = !isFreshEnough(policy, one, now) || expiryFindings(one, now).length > 0;
  const isPublisher = isByPublisher(policy, one);
  const faults = [
    !isPublisher,
    isPublisher && outsideTrustPeriod(policy, one, now) !== undefined,
    one.outcome !== "signed",
    isStale,
    one.outcome === "signed" && one.unlisted.length > 0,
  ];
  return faults.reduce((rank, fault) => rank * 2 + (fault ? 1 : 0), 0);
}

/**
 * Evidence with the signatures reconciled, and the best ranked one in front, see `rankOf`.
 * @param now milliseconds since 1970
 */
export function rankSignaturesFor(policy: Policy, evidence: Evidence, now: number): Evidence {
  const all = reconcileSignatures(policy, [evidence.signature, ...(evidence.others ?? [])], now);
  // Most skills have one signature. The evidence stays the same object, by which rules remember what they made of it.
  if (all.length === 1 && all[0] === evidence.signature) return evidence;
  const ranks = all.map((one) => rankOf(policy, one, now));
  const at = ranks.indexOf(Math.min(...ranks));
  const [signature, others] = [all[at] ?? evidence.signature, all.filter((_one, index) => index !== at)];
  return { ...evidence, signature, ...(others.length === 0 ? {} : { others }) };
}

/** Without any publisher's signature, report each: one of them may be the one that was meant to be trusted. */
function strangerFindings(policy: Policy, one: SignatureEvidence, now: number): readonly Finding[] {
  if (one.outcome === "unsigned") return [];
  return one.outcome === "untrusted" ? [untrustedFinding(policy, one)] : publisherFindings(policy, one, now);
}

function tamperedFindings(
  policy: Policy,
  { signature, others = [] }: Evidence,
  one: Extract<SignatureEvidence, { outcome: "tampered" }>,
): readonly Finding[] {
  const by = one.path ?? one.format;
  const explain = (difference: Difference): Explanation | undefined =>
    explainAdded(policy, [signature, ...others], one, difference);
  return differenceFindings(one.differences, explain).map(({ message, ...finding }) => ({
    ...finding,
    by,
    message: message.includes(by) ? message : `${message} (by the signature ${by})`,
  }));
}

function faultsOf(policy: Policy, evidence: Evidence, one: SignatureEvidence): readonly Finding[] {
  switch (one.outcome) {
    case "unsigned":
    // Another trusted signer covers the same files.
    case "signed":
      return [];
    case "tampered":
      return tamperedFindings(policy, evidence, one);
    // An unknown signer proves nothing, neither good nor bad: publishers decide.
    case "untrusted":
      return one.fault === "UNTRUSTED_SIGNER" ? [] : [untrustedFinding(policy, one)];
  }
}

/**
 * Faults of the signatures beside the one that counts: a good signature does not hide a bad one. A revoked signer
 * is never tolerated.
 * @param now milliseconds since 1970
 */
export function otherSignatureFindings(policy: Policy, evidence: Evidence, now: number): readonly Finding[] {
  const { signature, others = [] } = evidence;
  const { otherSignatures } = policy;
  const isStranger = !isByPublisher(policy, signature);
  return others
    .flatMap((one) => {
      const faults = faultsOf(policy, evidence, one);
      return faults.length === 0 && isStranger ? strangerFindings(policy, one, now) : faults;
    })
    .filter(({ code }) => otherSignatures !== "Allow" || code === "REVOKED")
    .map((finding) => ({
      ...finding,
      tolerated: otherSignatures === "Warn" && finding.code !== "REVOKED",
    }));
}
