import type { KeyObject } from "node:crypto";

/** A public key pinned by a policy or trust root. */
export interface TrustedKey {
  readonly names: readonly string[];
  /** SHA-256 over the DER of the SubjectPublicKeyInfo, 64 lower-case hex digits. */
  readonly fingerprint: string;
  readonly key: KeyObject;
}

/** Trust for signatures by keys. */
export interface KeyTrust {
  readonly keys: readonly TrustedKey[];
}

/** Signer of kind key: without certificate. */
export interface KeySigner {
  readonly kind: "key";
  /** SHA-256 over the SubjectPublicKeyInfo, hex; equals `TrustedKey.fingerprint`. */
  readonly publicKey: string;
  readonly names: readonly string[];
}

export const keySigner = ({ fingerprint, names }: TrustedKey): KeySigner => ({
  kind: "key",
  publicKey: fingerprint,
  names,
});

/** Keys that are tried for a signature without a hint. */
export const maxTriedKeys = 32;
/**
 * Bytes digested in trying keys: enough for all of these keys with real payloads (40 KB at most), for a few with a
 * payload of megabytes.
 */
const maxTriedBytes = 8 * 1024 * 1024;

/**
 * Selects the keys to try within these limits, at least one.
 * @param bytes that each key digests
 */
export function triedKeys<Key>(keys: readonly Key[], bytes: number): readonly Key[] {
  const affordable = Math.max(1, Math.floor(maxTriedBytes / Math.max(1, bytes)));
  return keys.slice(0, Math.min(maxTriedKeys, affordable));
}
