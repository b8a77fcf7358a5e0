import type { Skill, SkillFile } from "../../skill/skill.ts";
import { malformed, SignatureError } from "../signature-error.ts";
import {
  evidenceOf,
  trusted,
  untrusted,
  type RegistrySigner,
  type SignatureEvidence,
} from "../signature-evidence.ts";
import type { Unproved } from "../sigstore/log/proofs.ts";
import { parseVettBundle, type VettBundle } from "./bundle.ts";
import { compareTree, type VettComparison } from "./compare.ts";
import { hashesOf } from "./hashes.ts";
import { parseVettManifest, vettFileNames } from "./manifest.ts";
import { candidatesOf, isSigned, proveLogged, unknownKey, type Candidate } from "./prove.ts";
import type { RegistryTrust } from "./registry.ts";

const format = "vett";

/** A parsed signature and the skill that it is about. */
interface Subject {
  readonly bundle: VettBundle;
  /** The signed artifact, byte for byte, not a re-serialised form. */
  readonly artifact: SkillFile;
  readonly skill: RegistrySigner["skill"];
  readonly comparison: VettComparison;
}

function readSubject(skill: Skill, bundlePath: string): Subject {
  const bundle = parseVettBundle(skill.files.get(bundlePath)?.bytes ?? new Uint8Array());
  const artifact = skill.files.get(vettFileNames.manifest);
  if (artifact === undefined) {
    throw malformed(
      `there is no ${vettFileNames.manifest} beside ${bundlePath}: mount the registry's artifact with the skill`,
    );
  }
  const manifest = parseVettManifest(artifact.bytes);
  const { raw, logical } = hashesOf(artifact, manifest);
  return {
    bundle,
    artifact,
    skill: { name: skill.name, hashes: [raw, logical] },
    comparison: compareTree(skill, manifest),
  };
}

const changed = (): SignatureError =>
  new SignatureError(
    "BAD_SIGNATURE",
    `the signature does not match ${vettFileNames.manifest}: one of them was changed, or another key signed`,
  );

/** Result of one candidate: the time of signing, or the refusal. */
type Proved = Candidate & { readonly signedAt: number };
type Refused = Candidate & { readonly refusal: SignatureError };

function attempt(candidate: Candidate, { bundle, artifact }: Subject, now: number): Proved | Refused {
  try {
    return { ...candidate, signedAt: proveLogged(candidate, bundle, artifact.bytes, now) };
  } catch (cause) {
    if (cause instanceof SignatureError) return { ...candidate, refusal: cause };
    throw cause;
  }
}

const unprovedOf = ({ registry, refusal: { code, message } }: Refused): Unproved => ({
  by: registry.fingerprint,
  code,
  why: message,
});

/**
 * Builds the signer. Registries of several trust roots may share the key: those that prove the signature count. The
 * log entry names one key, so at most one of several keys is proved.
 */
function signerOf(
  { skill }: Subject,
  { key, registry }: Candidate,
  proved: readonly Proved[],
  refused: readonly Refused[],
): RegistrySigner {
  const registries = proved.length === 0 ? [registry] : proved.map((one) => one.registry);
  return {
    kind: "registry",
    hint: key.hint,
    publicKey: key.fingerprint,
    names: registries.flatMap(({ names }) => names),
    registries: proved.map((one) => one.registry.fingerprint),
    ...(refused.length === 0 ? {} : { unproved: refused.map(unprovedOf) }),
    skill,
    ...(proved.length === 0 ? {} : { signedAt: Math.min(...proved.map(({ signedAt }) => signedAt)) }),
  };
}

function verifySubject(subject: Subject, trust: RegistryTrust, now: number): SignatureEvidence {
  const { bundle, artifact, comparison } = subject;
  const { differences, unlisted } = comparison;
  const digest = `sha256:${artifact.sha256}` as const;
  const info = { digest, differences };
  if (bundle.digest !== artifact.sha256) return untrusted(format, changed(), info);
  const named = candidatesOf(bundle.hint, trust);
  if (named.length === 0) return untrusted(format, unknownKey(bundle.hint, trust), info);
  const candidates = named.filter((one) => isSigned(one, bundle, artifact.bytes));
  const [first] = candidates;
  if (first === undefined) return untrusted(format, changed(), info);
  const attempts = candidates.map((candidate) => attempt(candidate, subject, now));
  const refused = attempts.filter((one) => "refusal" in one);
  const proved = attempts.filter((one) => "signedAt" in one);
  const signer = signerOf(subject, proved[0] ?? first, proved, refused);
  return proved.length === 0
    ? untrusted(format, refused[0]?.refusal ?? changed(), { ...info, signer, selfConsistent: true })
    : trusted(format, { ...info, signer, unlisted });
}

/**
 * Verifies a signature by a Vett registry (`vett.sigstore.json` over `vett.manifest.json`): signature, key, log and
 * tree. The digest of the evidence is SHA-256 over the manifest's bytes. The signature does not name skill or version:
 * policies compare the name and hashes in the signer.
 * @param bundlePath path of the bundle; it must be in the skill
 * @param now milliseconds since 1970, see `proveLogged`
 */
export const verifyVett = (
  skill: Skill,
  bundlePath: string,
  trust: RegistryTrust,
  now: number,
): SignatureEvidence => evidenceOf(format, () => verifySubject(readSubject(skill, bundlePath), trust, now));
