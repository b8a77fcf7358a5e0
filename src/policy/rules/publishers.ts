import type { SignatureEvidence, Signer } from "../../signature/signature-evidence.ts";
import type { Unproved } from "../../signature/sigstore/log/proofs.ts";
import { certificateClaims } from "../../signature/sigstore/identity/claims.ts";
import { memoizeByObject } from "../../text/memoize-by-object.ts";
import type { Policy, Publisher } from "../policy.ts";

/**
 * True if a certificate's subject has an attribute with exactly this value. CN, O and C must be single: readers
 * disagree about which of two counts. Several units (OU) are usual.
 */
function hasAttribute(
  signer: Extract<Signer, { kind: "certificate" }>,
  attribute: string,
  value: string,
): boolean {
  const values = Object.hasOwn(signer.attributes, attribute) ? (signer.attributes[attribute] ?? []) : [];
  return values.includes(value) && (attribute === "OU" || values.length === 1);
}

/** A claim that the certificate lacks does not match. */
const isIdentityOf = (
  publisher: Extract<Publisher, { kind: "keyless" }>,
  signer: Extract<Signer, { kind: "keyless" }>,
): boolean =>
  signer.issuer === publisher.issuer &&
  publisher.isIdentity(signer.identity) &&
  certificateClaims.every(
    (claim) => publisher.claims[claim] === undefined || publisher.claims[claim] === signer.claims[claim],
  );

const isByIdentity = (publisher: Extract<Publisher, { kind: "keyless" }>, signer: Signer): boolean =>
  signer.kind === "keyless" &&
  signer.roots.some((root) => publisher.roots.includes(root)) &&
  isIdentityOf(publisher, signer);

/** True if one of a publisher's registries signed, any skill. */
export const isByRegistry = (publisher: Extract<Publisher, { kind: "vett" }>, signer: Signer): boolean =>
  signer.kind === "registry" && signer.registries.some((registry) => publisher.registries.includes(registry));

/**
 * A registry's signature names neither skill nor version: the publisher's list does, by the hash of the manifest.
 * Either of the two hashes identifies a version; only the signature proves that the registry made the manifest.
 */
const isAccepted = (
  publisher: Extract<Publisher, { kind: "vett" }>,
  { skill }: Extract<Signer, { kind: "registry" }>,
): boolean => publisher.skills.some(({ name, hash }) => name === skill.name && skill.hashes.includes(hash));

function isBy(publisher: Publisher, signer: Signer): boolean {
  if (publisher.kind === "key") {
    return signer.kind === "key" && publisher.publicKeys.includes(signer.publicKey);
  }
  if (publisher.kind === "keyless") return isByIdentity(publisher, signer);
  if (publisher.kind === "vett")
    return signer.kind === "registry" && isByRegistry(publisher, signer) && isAccepted(publisher, signer);
  return (
    signer.kind === "certificate" &&
    signer.anchors.some((anchor) => publisher.anchors.includes(anchor)) &&
    Object.entries(publisher.subject).every(([attribute, value]) => hasAttribute(signer, attribute, value))
  );
}

/** Remembered: one judgement asks ten times, and the evidence of the next review has the same signer. */
const behind = memoizeByObject(({ publishers }: Policy) =>
  memoizeByObject((signer: Signer) => publishers.filter((publisher) => isBy(publisher, signer))),
);

/** Publishers of the policy that match a signer, regardless of trust periods. */
export const publishersBehind = (policy: Policy, signer: Signer): readonly Publisher[] =>
  behind(policy)(signer);

/**
 * True if a publisher of the policy made a valid signature, regardless of trust periods, see `outsideTrustPeriod`.
 */
export const isByPublisher = (policy: Policy, signature: SignatureEvidence): boolean =>
  (signature.outcome === "signed" || signature.outcome === "tampered") &&
  publishersBehind(policy, signature.signer).length > 0;

/** Proof that a publisher's own trust root requires and a signature lacks. */
export interface MissingProof extends Pick<Unproved, "code" | "why"> {
  readonly publisher: string;
}

/** Fingerprints of a publisher's roots or registries, if the signer matches it apart from the proof. */
function trustAskedBy(publisher: Publisher, signer: Signer): readonly string[] {
  if (publisher.kind === "keyless" && signer.kind === "keyless" && isIdentityOf(publisher, signer))
    return publisher.roots;
  return publisher.kind === "vett" && signer.kind === "registry" ? publisher.registries : [];
}

/**
 * Reason why a publisher's trust does not prove a signature that otherwise matches it, even if another policy's
 * trust does. Undefined if no publisher matches, or the reason is not known.
 */
export function missingProof({ publishers }: Policy, signer: Signer): MissingProof | undefined {
  if (signer.kind !== "keyless" && signer.kind !== "registry") return undefined;
  const proved: readonly string[] = signer.kind === "keyless" ? signer.roots : signer.registries;
  for (const publisher of publishers) {
    const asked = trustAskedBy(publisher, signer);
    if (asked.some((fingerprint) => proved.includes(fingerprint))) continue;
    const refusal = signer.unproved?.find(({ by }) => asked.includes(by));
    if (refusal !== undefined) return { publisher: publisher.name, code: refusal.code, why: refusal.why };
    if (asked.length > 0 && signer.kind === "keyless" && proved.length > 0) {
      const why = "it does not know the transparency log";
      return { publisher: publisher.name, code: "UNTRUSTED_SIGNER", why };
    }
  }
  return undefined;
}
