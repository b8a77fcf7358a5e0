import type { SigstoreRoot } from "../sigstore/root/sigstore-root.ts";
import type { TrustedKey } from "../trusted-key.ts";
import type { Validity } from "../validity.ts";

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

/** By what signatures of registries are proved. */
export interface RegistryTrust {
  /** Absent: no registry is trusted. */
  readonly registries?: readonly KeyRegistry[];
}
