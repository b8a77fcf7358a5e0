import { defined } from "../../text/fields.ts";
import type { Skill } from "../../skill/skill.ts";
import { parseBundle, type SignatureBundle, type VerificationMaterial } from "../sigstore/bundle.ts";
import { inTotoPayloadType, legacyPreAuthEncoding, preAuthEncoding } from "../sigstore/dsse.ts";
import { whyNotNow } from "../x509/chain-time.ts";
import { curveDigest, keyHint, verifyEcdsa } from "../key.ts";
import { knownChain, type KnownChain } from "../x509/known-chains.ts";
import type { SignatureFault } from "../signature-error.ts";
import { quoted } from "../../text/printable.ts";
import { keySigner, triedKeys, type KeyTrust, type TrustedKey } from "../trusted-key.ts";
import { verifyKeyless } from "../sigstore/keyless.ts";
import {
  evidenceOf,
  trusted,
  untrusted,
  type SignatureEvidence,
  type Signer,
} from "../signature-evidence.ts";
import type { SigstoreTrust } from "../sigstore/root/sigstore-root.ts";
import type { X509Trust } from "../x509/x509-trust.ts";
import { covers, unchangedSpan, type Validity } from "../validity.ts";
import { compareTree, type Comparison } from "./compare.ts";
import type { OmsManifest } from "./manifest.ts";
import { parseStatement } from "./statement.ts";
import { memoizeByObject } from "../../text/memoize-by-object.ts";

const format = "oms";

/** Trust for signatures of this format. */
export type OmsTrust = X509Trust & KeyTrust & SigstoreTrust;

/** A parsed signature and the tree that it is about. */
interface Subject {
  readonly bundle: SignatureBundle;
  readonly manifest: OmsManifest;
  /** Compares tree and list, once: it reads every byte of the skill. */
  readonly comparison: () => Comparison;
  /** The signed bytes: in DSSE's encoding, and in that of model-signing 0.2. */
  readonly encoded: () => Uint8Array;
  readonly legacyEncoded: () => Uint8Array;
}

type Info = Pick<Extract<SignatureEvidence, { outcome: "untrusted" }>, "digest" | "differences" | "signer">;

const badSignature = {
  code: "BAD_SIGNATURE",
  message: "the signature does not match the signed list: one of them was changed, or another key signed",
} as const;

function isSignedByKey(subject: Subject, { key }: TrustedKey): boolean {
  const digest = curveDigest(key);
  if (digest === undefined) return false;
  const { signature } = subject.bundle;
  return (
    verifyEcdsa(key, digest, subject.encoded(), signature) ||
    verifyEcdsa(key, digest, subject.legacyEncoded(), signature)
  );
}

/**
 * Also accepts, for its own statements, the SHA-256 that model-signing 0.2 used whatever the certificate's curve, as
 * the reference does.
 */
function isSignedByLeaf(subject: Subject, { leafKey }: KnownChain): boolean {
  const digest = curveDigest(leafKey);
  if (digest === undefined) return false;
  const { signature } = subject.bundle;
  return (
    verifyEcdsa(leafKey, digest, subject.encoded(), signature) ||
    (subject.manifest.legacy && verifyEcdsa(leafKey, "sha256", subject.legacyEncoded(), signature))
  );
}

/** Computes a value on first use. */
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
 * Information about an untrusted signature. Differences are left out for BLAKE3, which Node lacks and JavaScript does
 * thirty times slower: an untrusted signer must not cost that time.
 */
const informationOf = ({ manifest, comparison }: Subject): Info =>
  manifest.hash === "blake3"
    ? { digest: manifest.digest }
    : { digest: manifest.digest, differences: comparison().differences };

/** Concludes for a trusted signer's list: only the tree decides. */
const conclude = (
  { manifest: { digest }, comparison }: Subject,
  signer: Signer,
  validity?: Validity,
): SignatureEvidence => trusted(format, { digest, signer, ...comparison(), ...defined({ validity }) });

/** Trusted keys by their hint in bundles. */
const keysByHint = memoizeByObject(
  ({ keys }: KeyTrust): ReadonlyMap<string, TrustedKey> =>
    new Map(keys.map((one) => [keyHint(one.key), one])),
);

/** Finds the trusted key that signed, for a bundle without a hint. */
function anyKey(subject: Subject, { keys }: KeyTrust): TrustedKey | undefined {
  const usable = keys.filter(({ key }) => curveDigest(key) !== undefined);
  return triedKeys(usable, subject.bundle.payload.byteLength).find((key) => isSignedByKey(subject, key));
}

function verifyByKey(subject: Subject, hint: string | undefined, trust: KeyTrust): SignatureEvidence {
  const refuse = (code: SignatureFault, message: string): SignatureEvidence =>
    untrusted(format, { code, message }, informationOf(subject));
  if (hint === undefined) {
    const by = anyKey(subject, trust);
    return by === undefined
      ? refuse("UNTRUSTED_SIGNER", "signed by a key that is not named, and is none of the trusted keys")
      : conclude(subject, keySigner(by));
  }
  const named = keysByHint(trust).get(hint);
  if (named === undefined)
    return refuse(
      "UNTRUSTED_SIGNER",
      `signed by a key with the hint ${quoted(hint)}, which is not trusted here`,
    );
  if (curveDigest(named.key) === undefined) {
    const detail = `the key ${named.names.join(", ")} cannot verify OpenSSF Model Signing: keys on P-256, P-384 and P-521 can`;
    return refuse("UNSUPPORTED_FORMAT", detail);
  }
  return isSignedByKey(subject, named)
    ? conclude(subject, keySigner(named))
    : untrusted(format, badSignature, { ...informationOf(subject), signer: keySigner(named) });
}

function verifyByChain(
  subject: Subject,
  certificates: readonly string[],
  trust: X509Trust,
  now: number,
): SignatureEvidence {
  const chain = knownChain(certificates, trust);
  const info = (): Info => ({ ...informationOf(subject), signer: chain.signer });
  if (chain.leafFault !== undefined) return untrusted(format, chain.leafFault, info());
  if (!isSignedByLeaf(subject, chain)) return untrusted(format, badSignature, info());
  const { subject: name } = chain.signer;
  if (chain.paths.length === 0) {
    const message = `signed by ${name}, who is not trusted: ${chain.refusal}`;
    const code = chain.revoked ? "REVOKED" : "UNTRUSTED_SIGNER";
    return untrusted(format, { code, message }, { ...info(), selfConsistent: true });
  }
  const validity = unchangedSpan(
    chain.paths.map((path) => path.validity),
    now,
  );
  const valid = chain.paths.filter((path) => covers(path.validity, now));
  const anchors = valid.map((path) => path.anchor);
  if (anchors.length === 0) {
    const { why, ...remedy } = whyNotNow(chain.paths, now);
    const about = { ...info(), ...remedy, selfConsistent: true, validity };
    return untrusted(format, { code: "SIGNER_EXPIRED", message: `signed by ${name}, ${why}` }, about);
  }
  const above = {
    anchors: [...new Set(anchors)],
    issuers: [...new Set(valid.flatMap((path) => path.issuers))],
    issuerKeys: [...new Set(valid.flatMap((path) => path.issuerKeys))],
    notAfter: Math.max(...valid.map(({ certificates: { notAfter } }) => notAfter)),
    malleable: valid.flatMap((path) => path.malleable),
  };
  return conclude(subject, { ...chain.signer, ...above }, validity);
}

/**
 * Verifies a keyless signature. It was proved for the time of signing, so the evidence does not end with the
 * certificate, which is valid for minutes.
 */
function verifyByIdentity(
  subject: Subject,
  material: Extract<VerificationMaterial, { kind: "keyless" }>,
  trust: SigstoreTrust,
): SignatureEvidence {
  const signed = { payloadType: inTotoPayloadType, encoded: subject.encoded() };
  const { signer, refusal, selfConsistent } = verifyKeyless(material, subject.bundle, signed, trust);
  return refusal === undefined
    ? conclude(subject, signer)
    : untrusted(format, refusal, { ...informationOf(subject), signer, selfConsistent });
}

function verifySubject(subject: Subject, trust: OmsTrust, now: number): SignatureEvidence {
  const { material } = subject.bundle;
  switch (material.kind) {
    case "publicKey":
      return verifyByKey(subject, material.hint, trust);
    case "certificateChain":
      return verifyByChain(subject, material.certificates, trust, now);
    case "keyless":
      return verifyByIdentity(subject, material, trust);
  }
}

/**
 * Verifies an OpenSSF Model Signing signature over a skill: signature, signer and tree.
 * @param signaturePath path of the signature file; it must be in the skill
 * @param now milliseconds since 1970, at which certificates must be valid
 */
export const verifyOms = (
  skill: Skill,
  signaturePath: string,
  trust: OmsTrust,
  now: number,
): SignatureEvidence =>
  evidenceOf(format, () => verifySubject(readSubject(skill, signaturePath), trust, now));
