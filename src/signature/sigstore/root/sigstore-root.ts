import type { TrustMaterial as SigstoreAuthorities } from "@sigstore/verify";
import type { Certificate } from "../../x509/certificate.ts";
import type { Thresholds } from "./thresholds.ts";

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

/** By what keyless signatures are proved. */
export interface SigstoreTrust {
  /** Absent: no keyless signer is trusted. */
  readonly sigstore?: readonly SigstoreRoot[];
}
