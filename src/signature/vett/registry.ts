import type { SigstoreRoot } from "../sigstore/root/sigstore-root.ts";
import type { TrustedKey } from "../trusted-key.ts";
import type { Validity } from "../validity.ts";

/** A registry that signs skills with its own keys and logs the signatures (Vett). */
export interface KeyRegistry {
  readonly names: readonly string[];
  /** SHA-256 over keys, periods and log, 64 lower-case hex digits. Policies' publishers resolve to it. */
  readonly fingerprint: string;
  readonly keys: readonly RegistryKey[];
  /** The Sigstore instance whose log must hold its signatures. */
  readonly sigstore: SigstoreRoot;
}

/** A registry's key, and the period in which its signatures count, by the log's time. */
export interface RegistryKey extends Omit<TrustedKey, "names"> {
  /** Name of the key in bundles. */
  readonly hint: string;
  readonly validity: Validity;
}

/** Trust for signatures by registries. */
export interface RegistryTrust {
  /** Absent: no registry is trusted. */
  readonly registries?: readonly KeyRegistry[];
}
