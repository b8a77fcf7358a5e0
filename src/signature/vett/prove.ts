import { SignatureError } from "../signature-error.ts";
import { quoted } from "../../text/printable.ts";
import { isSignedBy } from "../sigstore/artifact.ts";
import { earliest, proofsOf } from "../sigstore/log/proofs.ts";
import { toSubject } from "../sigstore/log/subject.ts";
import type { KeyRegistry, RegistryKey, RegistryTrust } from "./registry.ts";
import { covers } from "../validity.ts";
import type { VettBundle } from "./bundle.ts";

/** A key that matches a bundle's hint: registries of different trust roots may use the same hint. */
export interface Candidate {
  readonly registry: KeyRegistry;
  readonly key: RegistryKey;
}

/** Limit of candidates tried for one signature. */
const maxCandidates = 8;

/** Trusted keys with a bundle's hint. */
export const candidatesOf = (hint: string, { registries = [] }: RegistryTrust): readonly Candidate[] =>
  registries
    .flatMap((registry) => registry.keys.filter((key) => key.hint === hint).map((key) => ({ registry, key })))
    .slice(0, maxCandidates);

/** Refusal of a hint that no trusted key has. */
export const unknownKey = (hint: string, { registries = [] }: RegistryTrust): SignatureError =>
  new SignatureError(
    "UNTRUSTED_SIGNER",
    registries.length === 0
      ? "no registry is trusted here; name one in spec.vett of a SkillTrustRoot"
      : `signed by a key with the hint ${quoted(hint)}, which no trusted registry has`,
  );

const dateOf = (time: number): string => new Date(time).toISOString().slice(0, 19);

function assertInPeriod({ hint, validity }: RegistryKey, signedAt: number): void {
  if (covers(validity, signedAt)) return;
  const side = signedAt < validity.notBefore ? "before its key's time" : "after its key's time";
  throw new SignatureError(
    "SIGNER_EXPIRED",
    `signed at ${dateOf(signedAt)}Z by the key ${quoted(hint)}, ${side}`,
  );
}

/** Whether the key signed the manifest's bytes. */
export const isSigned = ({ key }: Candidate, bundle: VettBundle, manifest: Uint8Array): boolean =>
  isSignedBy(key.key, { bytes: manifest }, bundle.signature);

/**
 * Proves by the registry's own log that the key signed within its period: the log entry, about this key, signature and
 * manifest, and its time. The signature itself is not verified here.
 * @param now milliseconds since 1970, at which the log must be trusted if no time is stated: the refusal then names
 *   the missing time
 * @returns time of signing, milliseconds since 1970
 * @throws SignatureError BAD_SIGNATURE, UNTRUSTED_SIGNER or SIGNER_EXPIRED
 */
export function proveLogged(
  { registry, key }: Candidate,
  { signature, proof }: VettBundle,
  manifest: Uint8Array,
  now: number,
): number {
  const subject = toSubject({
    signature,
    signed: { bytes: manifest },
    by: { key: key.key, logOptional: false },
    proof,
  });
  const result = proofsOf(subject, [registry.sigstore], now);
  if ("refusal" in result) {
    const { code, message } = result.refusal;
    throw new SignatureError(
      code,
      `signed by the key ${quoted(key.hint)}, which its log does not prove: ${message}`,
    );
  }
  const { signedAt } = earliest(result.proofs);
  if (signedAt === undefined) {
    throw new SignatureError(
      "UNTRUSTED_SIGNER",
      "neither log nor timestamp says when it was signed, so that nobody can tell whether the key was valid then",
    );
  }
  assertInPeriod(key, signedAt);
  return signedAt;
}
