import type { X509Certificate } from "node:crypto";
import type { Crl } from "./crl.ts";

/** A certificate authority in which chains may end, from policies and trust roots only. */
export interface TrustAnchor {
  /** Names for operators: `trust-root/entry`. */
  readonly names: readonly string[];
  /** SHA-256 over the DER, 64 lower-case hex digits. Policies' publishers resolve to it. */
  readonly fingerprint: string;
  readonly certificate: X509Certificate;
}

/** A CRL whose signature by its authority was verified. */
export interface TrustedCrl {
  readonly names: readonly string[];
  /** SHA-256 over the DER, 64 lower-case hex digits. */
  readonly fingerprint: string;
  readonly crl: Crl;
  /** SHA-256 over the SubjectPublicKeyInfo of the authority that signed it, hex. */
  readonly issuerKey: string;
}

/** Trust for certificate chains. */
export interface X509Trust {
  readonly anchors: readonly TrustAnchor[];
  /** Absent: no authority revoked a certificate. */
  readonly crls?: readonly TrustedCrl[];
}
