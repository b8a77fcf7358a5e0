import type { SigstoreTrust } from "./sigstore/root/sigstore-root.ts";
import type { KeyTrust } from "./trusted-key.ts";
import type { RegistryTrust } from "./vett/registry.ts";
import type { X509Trust } from "./x509/x509-trust.ts";

/**
 * Everything that any policy trusts, together. Signatures are checked against all of it once; which publisher a
 * policy accepts is decided later, from the fingerprints in the evidence.
 */
export interface TrustMaterial extends X509Trust, KeyTrust, SigstoreTrust, RegistryTrust {
  /** Changes whenever the content does: part of the evidence cache's key. */
  readonly version: string;
}
