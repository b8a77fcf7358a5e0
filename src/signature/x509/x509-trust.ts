import type { X509Certificate } from "node:crypto";
import type { Crl } from "./crl.ts";

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

/** By what certificate chains are proved. */
export interface X509Trust {
  readonly anchors: readonly TrustAnchor[];
  /** Absent: nothing is revoked by an authority. */
  readonly crls?: readonly TrustedCrl[];
}
