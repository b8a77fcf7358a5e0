import type { TrustMaterial as SigstoreAuthorities } from "@sigstore/verify";
import type { Certificate } from "../../x509/certificate.ts";
import type { Thresholds } from "./thresholds.ts";

/** A Sigstore instance that may prove keyless signatures: authorities and logs of its trusted root. */
export interface SigstoreRoot {
  readonly names: readonly string[];
  /**
   * SHA-256 over the text of the trusted root and thresholds, 64 lower-case hex digits. Policies' publishers resolve
   * to it.
   */
  readonly fingerprint: string;
  readonly authorities: SigstoreAuthorities;
  /** Certificates of each of its certificate authorities. */
  readonly chains: readonly (readonly Certificate[])[];
  /** Required proof; absent: the default thresholds. */
  readonly thresholds?: Thresholds;
}

/** Trust for keyless signatures. */
export interface SigstoreTrust {
  /** Absent: no keyless signer is trusted. */
  readonly sigstore?: readonly SigstoreRoot[];
}
