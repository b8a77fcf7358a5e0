import { defined } from "../../text/fields.ts";
import type { Evidence } from "../../evidence/evidence.ts";
import type { SignatureEvidence, Signer } from "../../signature/signature-evidence.ts";
import type { Difference } from "../../signature/compare.ts";
import { shortDigest } from "../../skill/digest.ts";
import { isSkillFile } from "../../skill/skill-file.ts";
import type { Finding } from "../finding.ts";
import type { Policy } from "../policy.ts";
import { differenceFindings, type Explanation } from "./differences.ts";
import { outsideTrustPeriod } from "./periods.ts";
import { isByPublisher, isByRegistry, missingProof } from "./publishers.ts";
import { explainAdded } from "./reconcile-signatures.ts";
import { unsignedFinding } from "./unsigned.ts";

function named(signer: Signer): string {
  if (signer.kind === "keyless") return `${signer.identity.slice(0, 200)} (${signer.issuer.slice(0, 200)})`;
  if (signer.kind === "registry")
    return `a registry's key ${signer.hint.slice(0, 200)} (${signer.publicKey.slice(0, 16)}…)`;
  return signer.kind === "certificate"
    ? signer.subject.slice(0, 200)
    : `the key ${signer.publicKey.slice(0, 16)}…`;
}

/** A registry of the policy signed, but a skill or version that the publisher does not list. */
function otherVersion({ publishers }: Policy, signer: Signer): Finding | undefined {
  if (signer.kind !== "registry") return undefined;
  const [publisher] = publishers
    .filter((one) => one.kind === "vett")
    .filter((one) => isByRegistry(one, signer));
  if (publisher === undefined) return undefined;
  const { name, hashes } = signer.skill;
  const versions = publisher.skills.filter((one) => one.name === name).map(({ version }) => version);
  const few = [...versions.slice(0, 3), ...(versions.length > 3 ? ["…"] : [])].join(", ");
  const taken = few === "" ? "no skill of this name" : `other versions of it (${few})`;
  const message = `the registry signed a manifest with the hash ${shortDigest(hashes[0] ?? "")}; as ${JSON.stringify(name.slice(0, 80))} the publisher ${publisher.name} takes ${taken}`;
  return { code: "SKILL_NOT_ALLOWED", message, tolerated: false };
}

/** A publisher matches, but its own trust root does not prove the signature. */
function missingProofFinding(policy: Policy, signer: Signer): Finding | undefined {
  const missing = missingProof(policy, signer);
  if (missing === undefined) return undefined;
  const { publisher, code, why } = missing;
  const trust = `the ${signer.kind === "registry" ? "registry" : "Sigstore root"} of the publisher ${publisher}`;
  const message =
    signer.kind === "registry"
      ? `${why} (by ${trust})`
      : `signed by ${named(signer)}, which ${trust} does not prove: ${why}`;
  const remedy = `have it signed anew with the proof that ${trust} asks for, or bring that trust root up to date`;
  return { code, message, remedy, tolerated: false };
}

function publisherFinding(
  policy: Policy,
  signature: SignatureEvidence & { readonly signer: Signer },
  now: number,
): Finding | undefined {
  const { signer } = signature;
  if (isByPublisher(policy, signature)) {
    const outside = outsideTrustPeriod(policy, signature, now);
    if (outside === undefined) return undefined;
    const { why, ...remedy } = outside;
    const message = `signed by ${named(signer)}, but ${why}`;
    return { code: "SIGNER_EXPIRED", message, ...remedy, tolerated: false };
  }
  const message = `signed by ${named(signer)}, who is no publisher of this policy`;
  const stranger: Finding = { code: "UNTRUSTED_SIGNER", message, tolerated: false };
  return otherVersion(policy, signer) ?? missingProofFinding(policy, signer) ?? stranger;
}

/** Reasons why a valid signature is not accepted by the policy. */
export function publisherFindings(
  policy: Policy,
  signature: SignatureEvidence & { readonly signer: Signer },
  now: number,
): readonly Finding[] {
  const finding = publisherFinding(policy, signature, now);
  const at = "path" in signature ? { path: signature.path } : {};
  return finding === undefined ? [] : [{ ...finding, ...at }];
}

/**
 * Signatures leave out `.github`, where some agents look for skills, and files that their signer ignores. Other
 * files there only lower a grade; an unsigned skill there is denied.
 */
const unsignedSkill = (path: string): Finding => ({
  code: "FILE_UNSIGNED",
  path,
  message: "is a skill of its own, at a path that the signature leaves out",
  tolerated: false,
});

type Untrusted = Extract<SignatureEvidence, { outcome: "untrusted" }>;

/** Of several roots that do not prove a signature, the policy's own gives the reason. */
export const untrustedFinding = (
  policy: Policy,
  { fault, detail, remedy, signer, path }: Untrusted,
): Finding => ({
  code: fault,
  message: detail,
  ...defined({ remedy }),
  ...(signer === undefined ? {} : missingProofFinding(policy, signer)),
  ...defined({ path }),
  tolerated: false,
});

/**
 * Findings about the signature that counts. Required in every policy: exactly the signed files, signed by one of
 * its publishers.
 * @param now milliseconds since 1970
 */
export function signatureFindings(policy: Policy, evidence: Evidence, now: number): readonly Finding[] {
  const { signature, others = [] } = evidence;
  switch (signature.outcome) {
    case "signed":
      return [
        ...publisherFindings(policy, signature, now),
        ...signature.unlisted.filter(isSkillFile).map(unsignedSkill),
      ];
    case "tampered": {
      const explain = (difference: Difference): Explanation | undefined =>
        explainAdded(policy, others, signature, difference);
      return [
        ...differenceFindings(signature.differences, explain),
        ...publisherFindings(policy, signature, now),
      ];
    }
    case "untrusted":
      return [untrustedFinding(policy, signature)];
    case "unsigned":
      return [unsignedFinding(policy, now)];
  }
}
