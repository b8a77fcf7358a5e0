import type { KeyObject } from "node:crypto";

/** A public key that a policy or trust root pins. */
export interface TrustedKey {
  readonly names: readonly string[];
  /** SHA-256 over the DER of the SubjectPublicKeyInfo, 64 lower-case hex digits. */
  readonly fingerprint: string;
  readonly key: KeyObject;
}

/** By what signatures of keys are proved. */
export interface KeyTrust {
  readonly keys: readonly TrustedKey[];
}

/** A key that signs by itself. */
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

/** Keys that are tried where a signature does not say which one made it. */
export const maxTriedKeys = 32;
/** Bytes that may be digested doing so: real payloads (40 KB at most) are tried with all of these keys, one of megabytes with a few. */
const maxTriedBytes = 8 * 1024 * 1024;

/**
 * Of these keys the ones that may be tried, one after the other; at least one.
 * @param bytes that each of them digests
 */
export function triedKeys<Key>(keys: readonly Key[], bytes: number): readonly Key[] {
  const affordable = Math.max(1, Math.floor(maxTriedBytes / Math.max(1, bytes)));
  return keys.slice(0, Math.min(maxTriedKeys, affordable));
}
