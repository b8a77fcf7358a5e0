import type { Difference, SignatureEvidence, Signer } from "../../signature/signature-evidence.ts";
import { shortDigest } from "../../skill/digest.ts";
import { isSkillFile } from "../../workload/skill-frontmatter.ts";
import type { Finding } from "../finding.ts";
import type { Policy } from "../policy.ts";
import { outOfForce } from "./periods.ts";
import { isByPublisher, isByRegistry } from "./publishers.ts";

function named(signer: Signer): string {
  if (signer.kind === "keyless") return `${signer.identity.slice(0, 200)} (${signer.issuer.slice(0, 200)})`;
  if (signer.kind === "registry")
    return `a registry's key ${signer.hint.slice(0, 200)} (${signer.publicKey.slice(0, 16)}…)`;
  return signer.kind === "certificate"
    ? signer.subject.slice(0, 200)
    : `the key ${signer.publicKey.slice(0, 16)}…`;
}

/** A registry of the policy signed it, but it is none of the skills that the policy takes from there, or another version. */
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

function publisherFindings(
  policy: Policy,
  signature: SignatureEvidence & { readonly signer: Signer },
  now: number,
): readonly Finding[] {
  if (isByPublisher(policy, signature)) {
    const why = outOfForce(policy, signature, now);
    if (why === undefined) return [];
    const message = `signed by ${named(signature.signer)}, but ${why}`;
    return [{ code: "SIGNER_EXPIRED", message, tolerated: false }];
  }
  const other = otherVersion(policy, signature.signer);
  if (other !== undefined) return [other];
  const message = `signed by ${named(signature.signer)}, who is no publisher of this policy`;
  return [{ code: "UNTRUSTED_SIGNER", message, tolerated: false }];
}

function differenceFinding({ path, change, signed, found }: Difference): Finding {
  const digests = { ...(signed === undefined ? {} : { signed }), ...(found === undefined ? {} : { found }) };
  switch (change) {
    case "modified": {
      const message =
        signed === undefined || found === undefined
          ? "is not what was signed"
          : `signed ${shortDigest(signed)}, found ${shortDigest(found)}`;
      return { code: "DIGEST_MISMATCH", path, message, ...digests, tolerated: false };
    }
    case "missing":
      return {
        code: "FILE_MISSING",
        path,
        message: "was signed and is not there",
        ...digests,
        tolerated: false,
      };
    case "added":
      return {
        code: "FILE_UNSIGNED",
        path,
        message: "is there and was not signed",
        ...digests,
        tolerated: false,
      };
  }
}

/** A finding for each path at which the tree is not the signed one; at least one. */
export function differenceFindings(differences: readonly Difference[]): readonly Finding[] {
  // Nothing to point at, but not the signed tree either.
  const unnamed: Finding = {
    code: "DIGEST_MISMATCH",
    message: "the files are not the signed ones",
    tolerated: false,
  };
  return differences.length === 0 ? [unnamed] : differences.map(differenceFinding);
}

/**
 * Signatures leave out `.github`, below which some agents look for skills, and what their signer names. A grade tells
 * of files there; a skill of its own that nobody signed is more than the demand for a signature can let pass.
 */
const unsignedSkill = (path: string): Finding => ({
  code: "FILE_UNSIGNED",
  path,
  message: "is a skill of its own, at a path that the signature leaves out",
  tolerated: false,
});

/** Is a skill without any signature only to be warned about, for now. */
const toleratesUnsigned = ({ unsigned: { action, until } }: Policy, now: number): boolean =>
  action === "Warn" && (until === undefined || now < until);

/**
 * What the signature leaves to be desired. These demands hold in every policy: exactly the signed bytes, by one of its
 * publishers.
 *
 * @param now milliseconds since 1970
 */
export function signatureFindings(
  policy: Policy,
  signature: SignatureEvidence,
  now: number,
): readonly Finding[] {
  switch (signature.outcome) {
    case "signed":
      return [
        ...publisherFindings(policy, signature, now),
        ...signature.unlisted.filter(isSkillFile).map(unsignedSkill),
      ];
    case "tampered":
      return [...differenceFindings(signature.differences), ...publisherFindings(policy, signature, now)];
    case "untrusted":
      return [{ code: signature.fault, message: signature.detail, tolerated: false }];
    case "unsigned":
      return [
        { code: "UNSIGNED", message: "there is no signature", tolerated: toleratesUnsigned(policy, now) },
      ];
  }
}
