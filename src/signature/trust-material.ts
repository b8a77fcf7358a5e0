import type { SigstoreTrust } from "./sigstore/root/sigstore-root.ts";
import type { KeyTrust } from "./trusted-key.ts";
import type { RegistryTrust } from "./vett/registry.ts";
import type { X509Trust } from "./x509/x509-trust.ts";

/**
 * Union of what all policies trust. Each signature is verified against it once; policies later select publishers by
 * the fingerprints in the evidence.
 */
export interface TrustMaterial extends X509Trust, KeyTrust, SigstoreTrust, RegistryTrust {
  /** Changes with the content: part of the evidence cache's key. */
  readonly version: string;
}
