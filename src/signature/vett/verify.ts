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

/** What is signed, and for what it stands here. */
interface Subject {
  readonly bundle: VettBundle;
  /** The artifact, byte for byte: what the signature is over, never a rewritten form. */
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

/** What came of trying one key: when it signed, or why that is not proved. */
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
 * The signer whose key it is. Registries of several trust roots may share the key: those count that proved it. Of several
 * keys the log entry names one, so that only one is ever proved.
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
 * Verifies a skill that a registry in Vett's format signed (`vett.sigstore.json` over `vett.manifest.json`): reads both, then
 * checks signature, key, log and tree. The digest of the evidence is SHA-256 over the manifest as it stands. Which skill and
 * which version it is, the signature does not say: policies compare name and hashes of the signer.
 * @param bundlePath the bundle's path in the skill; it must be there
 */
export const verifyVett = (
  skill: Skill,
  bundlePath: string,
  trust: RegistryTrust,
  now: number,
): SignatureEvidence => evidenceOf(format, () => verifySubject(readSubject(skill, bundlePath), trust, now));
