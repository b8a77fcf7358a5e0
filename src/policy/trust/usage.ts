import { keyFingerprint } from "../../signature/key.ts";
import type { SignatureEvidence, Signer } from "../../signature/signature-evidence.ts";
import type { TrustMaterial } from "../../signature/trust-material.ts";
import { memoizeByObject } from "../../text/memoize-by-object.ts";
import type { Policy, Publisher } from "../policy.ts";
import type { Revocation, RevocationIndex } from "./revocations.ts";

/**
 * Marks of what was met in skills that run: by them trust and revocations that match nothing are told. Of trust
 * (`key ab12…`), of a policy's publisher, and of an entry of a revocation list.
 */
export type Mark = string;

const markOf = (kind: "key" | "anchor" | "root" | "registry", fingerprint: string): Mark =>
  `${kind} ${fingerprint}`;

/** Mark of a publisher of a policy. */
export const publisherMark = (policy: string, publisher: string): Mark => `publisher ${policy}/${publisher}`;

function marksOfSigner(signer: Signer): readonly Mark[] {
  switch (signer.kind) {
    case "key":
      return [markOf("key", signer.publicKey)];
    case "certificate":
      return signer.anchors.map((anchor) => markOf("anchor", anchor));
    case "keyless":
      return signer.roots.map((root) => markOf("root", root));
    case "registry":
      return signer.registries.map((registry) => markOf("registry", registry));
  }
}

/** Marks of the trust that proves a signature; none if it proves nothing. */
export const marksOfTrust = (signature: SignatureEvidence): readonly Mark[] =>
  signature.outcome === "signed" || signature.outcome === "tampered" ? marksOfSigner(signature.signer) : [];

/** Marks of the trust that a publisher refers to. */
export function marksOfPublisher(publisher: Publisher): readonly Mark[] {
  switch (publisher.kind) {
    case "key":
      return publisher.publicKeys.map((key) => markOf("key", key));
    case "certificate":
      return publisher.anchors.map((anchor) => markOf("anchor", anchor));
    case "keyless":
      return publisher.roots.map((root) => markOf("root", root));
    case "vett":
      return publisher.registries.map((registry) => markOf("registry", registry));
  }
}

/** One trusted key, certificate, Sigstore instance or registry. */
export interface TrustedEntry {
  /** `trust-root/entry`, for each entry that has it. */
  readonly names: readonly string[];
  readonly mark: Mark;
  /** SHA-256 of its keys and certificates, hex, as revocation lists name them. */
  readonly keys: readonly string[];
  readonly certificates: readonly string[];
}

/** All that is trusted. */
export const trustedEntries = memoizeByObject(
  ({ anchors, keys, sigstore = [], registries = [] }: TrustMaterial): readonly TrustedEntry[] => [
    ...keys.map(({ names, fingerprint }) => ({
      names,
      mark: markOf("key", fingerprint),
      keys: [fingerprint],
      certificates: [],
    })),
    ...anchors.map(({ names, fingerprint, certificate }) => ({
      names,
      mark: markOf("anchor", fingerprint),
      keys: [keyFingerprint(certificate.publicKey)],
      certificates: [fingerprint],
    })),
    ...sigstore.map(({ names, fingerprint, chains }) => ({
      names,
      mark: markOf("root", fingerprint),
      keys: chains.flat().map(({ publicKey }) => keyFingerprint(publicKey)),
      certificates: chains.flat().map((certificate) => certificate.fingerprint),
    })),
    ...registries.map(({ names, fingerprint, keys: own }) => ({
      names,
      mark: markOf("registry", fingerprint),
      keys: own.map((key) => key.fingerprint),
      certificates: [],
    })),
  ],
);

/** The revocation of something of an entry; undefined: none. */
export function revocationOf(
  { keys, certificates }: Pick<TrustedEntry, "keys" | "certificates">,
  index: RevocationIndex,
): Revocation | undefined {
  const [found] = [
    ...certificates.flatMap((certificate) => index.certificates.get(certificate) ?? []),
    ...keys.flatMap((key) => index.keys.get(key) ?? []),
  ];
  return found;
}

/** Whether a publisher of a policy takes this keyless signer. */
const isTaken = (policies: readonly Policy[], issuer: string, identity: string): boolean =>
  policies.some(({ publishers }) =>
    publishers.some((one) => one.kind === "keyless" && one.issuer === issuer && one.isIdentity(identity)),
  );

/** Marks of the entries of an index that name something trusted, or a signer whom a policy takes. */
export function marksOfTrusted(
  index: RevocationIndex,
  { policies, trust }: { readonly policies: readonly Policy[]; readonly trust: TrustMaterial },
): readonly Mark[] {
  const entries = trustedEntries(trust);
  const identities = [...index.identities.keys()].filter((key) => {
    const [issuer = "", identity = ""] = JSON.parse(key) as readonly string[];
    return isTaken(policies, issuer, identity);
  });
  return [
    ...entries
      .flatMap(({ keys }) => keys)
      .filter((key) => index.keys.has(key))
      .map((key) => entryMark("keys", key)),
    ...entries
      .flatMap(({ certificates }) => certificates)
      .filter((one) => index.certificates.has(one))
      .map((one) => entryMark("certificates", one)),
    ...identities.map((key) => entryMark("identities", key)),
  ];
}

/** Mark of an entry of a revocation list, by its key in the index. */
export const entryMark = (kind: keyof RevocationIndex, key: string): Mark => `${kind} ${key}`;
