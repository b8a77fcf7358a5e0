import type { TrustMaterial as SigstoreAuthorities } from "@sigstore/verify";
import type { KeyObject, X509Certificate } from "node:crypto";
import type { Thresholds } from "./sigstore/root/thresholds.ts";
import type { Certificate } from "./x509/certificate.ts";
import type { Crl } from "./x509/crl.ts";
import type { Validity } from "./signature-evidence.ts";

/** A certificate authority that chains may end in. Only certificates from policies and trust roots come here. */
export interface TrustAnchor {
  /** Names under which operators know it: `trust-root/entry`. */
  readonly names: readonly string[];
  /** SHA-256 over the DER, 64 lower-case hex digits. What policies' publishers are resolved to. */
  readonly fingerprint: string;
  readonly certificate: X509Certificate;
}

/** What an authority's own list revokes; its signature was checked. */
export interface TrustedCrl {
  readonly names: readonly string[];
  /** SHA-256 over the DER, 64 lower-case hex digits. */
  readonly fingerprint: string;
  readonly crl: Crl;
  /** SHA-256 over the SubjectPublicKeyInfo of the authority that signed it, hex. */
  readonly issuerKey: string;
}

/** A public key that a policy or trust root pins. */
export interface TrustedKey {
  readonly names: readonly string[];
  /** SHA-256 over the DER of the SubjectPublicKeyInfo, 64 lower-case hex digits. */
  readonly fingerprint: string;
  readonly key: KeyObject;
}

/** A Sigstore instance by which keyless signatures may be proved: its authorities and logs, from a trusted root. */
export interface SigstoreRoot {
  readonly names: readonly string[];
  /** SHA-256 over the text of the trusted root and thresholds, 64 lower-case hex digits. What publishers are resolved to. */
  readonly fingerprint: string;
  readonly authorities: SigstoreAuthorities;
  /** Certificates of each of its authorities that certify signers. */
  readonly chains: readonly (readonly Certificate[])[];
  /** How much proof by it is asked for; absent: of everything one. */
  readonly thresholds?: Thresholds;
}

/** A registry that signs skills by keys of its own, and has the signatures logged (Vett). */
export interface KeyRegistry {
  readonly names: readonly string[];
  /** SHA-256 over keys, periods and log, 64 lower-case hex digits. What publishers are resolved to. */
  readonly fingerprint: string;
  readonly keys: readonly RegistryKey[];
  /** The instance in whose log its signatures must be. */
  readonly sigstore: SigstoreRoot;
}

/** A key of a registry, and the time in which it signs: as the log tells it, ends inclusive. */
export interface RegistryKey extends Omit<TrustedKey, "names"> {
  /** How bundles name it. */
  readonly hint: string;
  readonly validity: Validity;
}

/**
 * Everything that any policy trusts, together. Signatures are checked against all of it once; which publisher a
 * policy accepts is decided later, from the fingerprints in the evidence.
 */
export interface TrustMaterial {
  /** Changes whenever the content does: part of the evidence cache's key. */
  readonly version: string;
  readonly anchors: readonly TrustAnchor[];
  readonly keys: readonly TrustedKey[];
  /** Absent: nothing is revoked by an authority. */
  readonly crls?: readonly TrustedCrl[];
  /** Absent: no keyless signer is trusted. */
  readonly sigstore?: readonly SigstoreRoot[];
  /** Absent: no registry is trusted. */
  readonly registries?: readonly KeyRegistry[];
}
