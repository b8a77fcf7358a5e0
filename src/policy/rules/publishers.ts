import type { SignatureEvidence, Signer } from "../../signature/signature-evidence.ts";
import type { Unproved } from "../../signature/sigstore/log/proofs.ts";
import { certificateClaims } from "../../signature/sigstore/identity/claims.ts";
import type { Policy, Publisher } from "../policy.ts";

/**
 * Does a certificate's subject have an attribute with exactly this value. A name with two CN, O or C would be one
 * party to one reader and another to the next, so that these must stand alone; units are often several.
 */
function hasAttribute(
  signer: Extract<Signer, { kind: "certificate" }>,
  attribute: string,
  value: string,
): boolean {
  const values = Object.hasOwn(signer.attributes, attribute) ? (signer.attributes[attribute] ?? []) : [];
  return values.includes(value) && (attribute === "OU" || values.length === 1);
}

/** A claim that the certificate does not make is not met, whatever the policy compares it with. */
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

/** Did one of a publisher's registries sign, whatever it signed. */
export const isByRegistry = (publisher: Extract<Publisher, { kind: "vett" }>, signer: Signer): boolean =>
  signer.kind === "registry" && signer.registries.some((registry) => publisher.registries.includes(registry));

/**
 * The registry's signature says neither which skill nor which version it is about: the policy does, by the manifest's
 * hash. Either of them names a version; that the manifest is the registry's own is proved by the signature alone.
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

/** The policy's publishers who are this signer, whenever they are trusted. */
export const publishersBehind = (policy: Policy, signer: Signer): readonly Publisher[] =>
  policy.publishers.filter((publisher) => isBy(publisher, signer));

/** Is one of the policy's publishers behind a signature that was found valid. Whether it is in force now: `outsideTrustPeriod`. */
export const isByPublisher = (policy: Policy, signature: SignatureEvidence): boolean =>
  (signature.outcome === "signed" || signature.outcome === "tampered") &&
  policy.publishers.some((publisher) => isBy(publisher, signature.signer));

/** What a publisher's own trust lacks of a signature that claims to be its. */
export interface MissingProof extends Pick<Unproved, "code" | "why"> {
  readonly publisher: string;
}

/** In what of a publisher's trust a proof is missing, where the signature would else be its: all of it, by fingerprint. */
function trustAskedBy(publisher: Publisher, signer: Signer): readonly string[] {
  if (publisher.kind === "keyless" && signer.kind === "keyless" && isIdentityOf(publisher, signer))
    return publisher.roots;
  return publisher.kind === "vett" && signer.kind === "registry" ? publisher.registries : [];
}

/**
 * Why a signature does not count as the publisher's who seems to have made it: nothing of what the publisher trusts proves
 * it, whatever is enough for another policy. Undefined where none seems to have made it, or nothing tells.
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
