import type { Evidence } from "../../evidence/evidence.ts";
import type { SignatureEvidence } from "../../signature/signature-evidence.ts";
import type { Finding } from "../finding.ts";
import type { Policy } from "../policy.ts";
import { isFreshEnough } from "./freshness.ts";
import { outOfForce } from "./periods.ts";
import { isByPublisher } from "./publishers.ts";
import { differenceFindings } from "./signature.ts";

/**
 * The same evidence with that signature in front which counts for this policy: of several, one by a publisher, of
 * those one whose trust is in force, of those one whose files are all there, and of those one that is as fresh as the
 * policy demands.
 *
 * @param now milliseconds since 1970
 */
export function inTheEyesOf(policy: Policy, evidence: Evidence, now: number): Evidence {
  if (evidence.others === undefined) return evidence;
  const all = [evidence.signature, ...evidence.others];
  const standing = (one: SignatureEvidence): number => {
    if (!isByPublisher(policy, one)) return 4;
    return outOfForce(policy, one, now) === undefined ? 0 : 2;
  };
  const rank = (one: SignatureEvidence): number =>
    standing(one) + (one.outcome === "signed" ? 0 : 1) + (isFreshEnough(policy, one, now) ? 0 : 0.5);
  const signature = all.reduce((best, one) => (rank(one) < rank(best) ? one : best));
  return { ...evidence, signature, others: all.filter((one) => one !== signature) };
}

function faultsOf(signature: SignatureEvidence): readonly Omit<Finding, "tolerated">[] {
  switch (signature.outcome) {
    case "unsigned":
    // Somebody else whom we trust has signed the same files.
    case "signed":
      return [];
    case "tampered":
      return differenceFindings(signature.differences).map(({ message, ...finding }) => ({
        ...finding,
        message: `${message} (by the signature ${signature.path ?? signature.format})`,
      }));
    case "untrusted": {
      // Of somebody whom nobody here knows nothing is proved, neither good nor bad: publishers decide.
      if (signature.fault === "UNTRUSTED_SIGNER") return [];
      const { fault: code, detail: message, path } = signature;
      return [{ code, message, ...(path === undefined ? {} : { path }) }];
    }
  }
}

/**
 * What is wrong with the signatures beside the one that counts: a bad one is not hidden by a good one. That one of several
 * signers was revoked is tolerated nowhere, whoever revoked it.
 */
export const otherSignatureFindings = (
  { otherSignatures }: Policy,
  { others = [] }: Evidence,
): readonly Finding[] =>
  others
    .flatMap(faultsOf)
    .filter(({ code }) => otherSignatures !== "Allow" || code === "REVOKED")
    .map((finding) => ({
      ...finding,
      tolerated: otherSignatures === "Warn" && finding.code !== "REVOKED",
    }));
