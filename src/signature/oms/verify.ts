import type { Skill } from "../../skill/skill.ts";
import { parseBundle, type SignatureBundle, type VerificationMaterial } from "../sigstore/bundle.ts";
import { inTotoPayloadType, legacyPreAuthEncoding, preAuthEncoding } from "../sigstore/dsse.ts";
import { whyNotNow } from "../x509/chain-time.ts";
import { curveDigest, keyHint, verifyEcdsa } from "../key.ts";
import { knownChain, type KnownChain } from "../x509/known-chains.ts";
import { quoted, SignatureError, type SignatureFault } from "../signature-error.ts";
import type { TrustedKey } from "../trusted-key.ts";
import { verifyKeyless } from "../sigstore/keyless.ts";
import { type SignatureEvidence, type Signer } from "../signature-evidence.ts";
import type { TrustMaterial } from "../trust-material.ts";
import { covers, unchangedSpan, always } from "../validity.ts";
import { compareTree, type Comparison } from "./compare.ts";
import type { OmsManifest } from "./manifest.ts";
import { parseStatement } from "./statement.ts";

const format = "oms";

/**
 * Keys that are tried where a bundle does not say which one it is, and the bytes that may be digested doing so: real
 * payloads (40 KB at most) are tried with all of these keys, one of several megabytes with a few only.
 */
const maxTriedKeys = 32;
const maxTriedBytes = 8 * 1024 * 1024;

function triedKeys({ bundle }: Subject, trust: TrustMaterial): readonly TrustedKey[] {
  const affordable = Math.max(1, Math.floor(maxTriedBytes / bundle.payload.byteLength));
  const usable = trust.keys.filter(({ key }) => curveDigest(key) !== undefined);
  return usable.slice(0, Math.min(maxTriedKeys, affordable));
}

/** What a signature is checked against, read and normalised. */
interface Subject {
  readonly bundle: SignatureBundle;
  readonly manifest: OmsManifest;
  /** Holds the tree against the list, which reads every byte of the skill; once. */
  readonly comparison: () => Comparison;
  /** What was signed, in the right encoding and in that of model-signing 0.2. */
  readonly encoded: () => Uint8Array;
  readonly legacyEncoded: () => Uint8Array;
}

type Untrusted = Extract<SignatureEvidence, { outcome: "untrusted" }>;
type Info = Pick<Untrusted, "digest" | "differences" | "signer">;

function untrusted(
  fault: SignatureFault,
  detail: string,
  info: Info & Partial<Pick<Untrusted, "selfConsistent" | "validity">> = {},
): Untrusted {
  return { outcome: "untrusted", format, fault, detail, selfConsistent: false, validity: always, ...info };
}

const badSignature =
  "the signature does not match the signed list: one of them was changed, or another key signed";

function isSignedByKey(subject: Subject, { key }: TrustedKey): boolean {
  const digest = curveDigest(key);
  if (digest === undefined) return false;
  const { signature } = subject.bundle;
  return (
    verifyEcdsa(key, digest, subject.encoded(), signature) ||
    verifyEcdsa(key, digest, subject.legacyEncoded(), signature)
  );
}

/** As the reference: model-signing 0.2 digested with SHA-256 whatever the certificate's curve. Only for its own statements. */
function isSignedByLeaf(subject: Subject, { leafKey }: KnownChain): boolean {
  const digest = curveDigest(leafKey);
  if (digest === undefined) return false;
  const { signature } = subject.bundle;
  return (
    verifyEcdsa(leafKey, digest, subject.encoded(), signature) ||
    (subject.manifest.legacy && verifyEcdsa(leafKey, "sha256", subject.legacyEncoded(), signature))
  );
}

/** Worked out when first asked for, once. */
function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => (made ??= { value: make() }).value;
}

function readSubject(skill: Skill, signaturePath: string): Subject {
  const bundle = parseBundle(skill.files.get(signaturePath)?.bytes ?? new Uint8Array());
  const manifest = parseStatement(bundle.payload);
  return {
    bundle,
    manifest,
    comparison: once(() => compareTree(skill.files, signaturePath, manifest)),
    encoded: once(() => preAuthEncoding(inTotoPayloadType, bundle.payload)),
    legacyEncoded: once(() => legacyPreAuthEncoding(inTotoPayloadType, bundle.payload)),
  };
}

/**
 * What an untrusted signature says, for information. BLAKE3 is thirty times slower here than the others (it is not in
 * Node): nobody makes us work it out who is not trusted.
 */
const informationOf = ({ manifest, comparison }: Subject): Info =>
  manifest.hash === "blake3"
    ? { digest: manifest.digest }
    : { digest: manifest.digest, differences: comparison().differences };

/** The list is a trusted signer's: what is left is the tree. */
function conclude({ manifest, comparison }: Subject, signer: Signer, validity = always): SignatureEvidence {
  const { digest } = manifest;
  const { differences, unlisted } = comparison();
  return differences.length === 0
    ? { outcome: "signed", format, digest, signer, unlisted, validity }
    : { outcome: "tampered", format, digest, signer, differences, unlisted, validity };
}

const hints = new WeakMap<TrustMaterial, ReadonlyMap<string, TrustedKey>>();

/** Trusted keys by the name that bundles give them; worked out once. */
function keysByHint(trust: TrustMaterial): ReadonlyMap<string, TrustedKey> {
  let index = hints.get(trust);
  if (index === undefined) {
    index = new Map(trust.keys.map((trusted) => [keyHint(trusted.key), trusted]));
    hints.set(trust, index);
  }
  return index;
}

function verifyByKey(subject: Subject, hint: string | undefined, trust: TrustMaterial): SignatureEvidence {
  const info = (): Info => informationOf(subject);
  if (hint === undefined) {
    const trusted = triedKeys(subject, trust).find((candidate) => isSignedByKey(subject, candidate));
    if (trusted !== undefined) return conclude(subject, signerOf(trusted));
    return untrusted(
      "UNTRUSTED_SIGNER",
      "signed by a key that is not named, and is none of the trusted keys",
      info(),
    );
  }
  const trusted = keysByHint(trust).get(hint);
  if (trusted === undefined) {
    return untrusted(
      "UNTRUSTED_SIGNER",
      `signed by a key with the hint ${quoted(hint)}, which is not trusted here`,
      info(),
    );
  }
  if (curveDigest(trusted.key) === undefined) {
    const detail = `the key ${trusted.names.join(", ")} cannot verify OpenSSF Model Signing: keys on P-256, P-384 and P-521 can`;
    return untrusted("UNSUPPORTED_FORMAT", detail, info());
  }
  return isSignedByKey(subject, trusted)
    ? conclude(subject, signerOf(trusted))
    : untrusted("BAD_SIGNATURE", badSignature, { ...info(), signer: signerOf(trusted) });
}

const signerOf = ({ fingerprint, names }: TrustedKey): Signer => ({
  kind: "key",
  publicKey: fingerprint,
  names,
});

function verifyByChain(
  subject: Subject,
  certificates: readonly string[],
  trust: TrustMaterial,
  now: number,
): SignatureEvidence {
  const chain = knownChain(certificates, trust);
  const info = (): Info => ({ ...informationOf(subject), signer: chain.signer });
  if (chain.leafFault !== undefined) return untrusted(chain.leafFault.code, chain.leafFault.message, info());
  if (!isSignedByLeaf(subject, chain)) return untrusted("BAD_SIGNATURE", badSignature, info());
  const { subject: name } = chain.signer;
  if (chain.paths.length === 0) {
    const detail = `signed by ${name}, who is not trusted: ${chain.refusal}`;
    return untrusted(chain.revoked ? "REVOKED" : "UNTRUSTED_SIGNER", detail, {
      ...info(),
      selfConsistent: true,
    });
  }
  const validity = unchangedSpan(
    chain.paths.map((path) => path.validity),
    now,
  );
  const valid = chain.paths.filter((path) => covers(path.validity, now));
  const anchors = valid.map((path) => path.anchor);
  if (anchors.length === 0) {
    const detail = `signed by ${name}, ${whyNotNow(chain.paths, now)}`;
    return untrusted("SIGNER_EXPIRED", detail, { ...info(), selfConsistent: true, validity });
  }
  const above = {
    anchors: [...new Set(anchors)],
    issuers: [...new Set(valid.flatMap((path) => path.issuers))],
    issuerKeys: [...new Set(valid.flatMap((path) => path.issuerKeys))],
    twins: valid.flatMap((path) => path.twins),
  };
  return conclude(subject, { ...chain.signer, ...above }, validity);
}

/** The proof is of the time of signing, so that it does not end with the certificate, which is valid for minutes. */
function verifyByIdentity(
  subject: Subject,
  material: Extract<VerificationMaterial, { kind: "keyless" }>,
  trust: TrustMaterial,
): SignatureEvidence {
  const signed = { payloadType: inTotoPayloadType, encoded: subject.encoded() };
  const { signer, refusal, selfConsistent } = verifyKeyless(material, subject.bundle, signed, trust);
  return refusal === undefined
    ? conclude(subject, signer)
    : untrusted(refusal.code, refusal.message, { ...informationOf(subject), signer, selfConsistent });
}

/**
 * Verifies an OpenSSF Model Signing signature over a skill: reads it, then checks signature, signer and tree.
 * @param signaturePath the signature file's path in the skill; it must be there
 */
export function verifyOms(
  skill: Skill,
  signaturePath: string,
  trust: TrustMaterial,
  now: number,
): SignatureEvidence {
  try {
    const subject = readSubject(skill, signaturePath);
    const { material } = subject.bundle;
    switch (material.kind) {
      case "publicKey":
        return verifyByKey(subject, material.hint, trust);
      case "certificateChain":
        return verifyByChain(subject, material.certificates, trust, now);
      case "keyless":
        return verifyByIdentity(subject, material, trust);
    }
  } catch (cause) {
    if (cause instanceof SignatureError) return untrusted(cause.code, cause.message);
    throw cause;
  }
}
