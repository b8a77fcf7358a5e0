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

/** The lower, the better: by a publisher, in force, whole, young enough, with every file. Each outweighs all that follow. */
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
 * The same evidence with the signatures as this policy sees them beside each other, and that one in front which counts for
 * it: of several, one by a publisher, of those one whose trust is in force, of those one whose files are all there, of
 * those one that is as fresh as the policy demands.
 *
 * @param now milliseconds since 1970
 */
export function rankSignaturesFor(policy: Policy, evidence: Evidence, now: number): Evidence {
  const all = reconcileSignatures(policy, [evidence.signature, ...(evidence.others ?? [])], now);
  const ranks = all.map((one) => rankOf(policy, one, now));
  const at = ranks.indexOf(Math.min(...ranks));
  const [signature, others] = [all[at] ?? evidence.signature, all.filter((_one, index) => index !== at)];
  return { ...evidence, signature, ...(others.length === 0 ? {} : { others }) };
}

/** Where none is a publisher's, each is told of: one of them may be the one that somebody meant to be trusted. */
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
    // Somebody else whom we trust has signed the same files.
    case "signed":
      return [];
    case "tampered":
      return tamperedFindings(policy, evidence, one);
    // Of somebody whom nobody here knows nothing is proved, neither good nor bad: publishers decide.
    case "untrusted":
      return one.fault === "UNTRUSTED_SIGNER" ? [] : [untrustedFinding(policy, one)];
  }
}

/**
 * What is wrong with the signatures beside the one that counts: a bad one is not hidden by a good one. That one of several
 * signers was revoked is tolerated nowhere, whoever revoked it.
 *
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
