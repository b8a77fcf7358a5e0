import type { Sha256 } from "../../skill/digest.ts";
import { malformed, SignatureError, unsupported } from "../signature-error.ts";
import { quoted } from "../../text/printable.ts";
import { trusted, untrusted, type SignatureEvidence, type Signer } from "../signature-evidence.ts";
import { always } from "../validity.ts";
import { keySigner, triedKeys, type KeyTrust } from "../trusted-key.ts";
import type { ArtifactBundle } from "../sigstore/artifact/bundle.ts";
import { parseArtifactBundle } from "../sigstore/artifact/bundle.ts";
import { isSignedBy } from "../sigstore/artifact.ts";
import { verifyByIdentity } from "../sigstore/keyless.ts";
import type { LogProof } from "../sigstore/log/entry.ts";
import { proofsOf } from "../sigstore/log/proofs.ts";
import { knowsLogs } from "../sigstore/log/prove.ts";
import { readStatement } from "../sigstore/artifact/statement.ts";
import { toSubject } from "../sigstore/log/subject.ts";
import { verifyArtifact, type ArtifactSigner } from "../sigstore/artifact/verify-artifact.ts";
import type { SigstoreTrust } from "../sigstore/root/sigstore-root.ts";
import { readAnnotations, type AnnotatedSignature } from "./annotations.ts";
import { assertRefersTo, readSignatureManifest, type FetchedManifest, type Layer } from "./manifest.ts";
import { assertSimpleSigning } from "./simple-signing.ts";

/** Predicate type of cosign's image signatures since version 3. */
const signPredicate = "https://sigstore.dev/cosign/sign/v1";

const bundleType = /^application\/vnd\.dev\.sigstore\.bundle(?:\.v0\.3\+json|\+json;version=0\.[123])$/;
const simpleSigningType = "application/vnd.dev.cosign.simplesigning.v1+json";

/** Limit of manifests of one image. */
const maxManifests = 64;

const format = "cosign";

/** Trust for signatures of this format. */
export type CosignTrust = KeyTrust & SigstoreTrust;

interface Question {
  readonly image: Sha256;
  readonly trust: CosignTrust;
  readonly now: number;
}

const signed = ({ image }: Question, signer: Signer): SignatureEvidence =>
  trusted(format, { digest: image, signer, unlisted: [] });

const signerOf = (signer: ArtifactSigner): Signer => (signer.kind === "key" ? keySigner(signer.key) : signer);

const nothing: LogProof = { entries: [], timestamps: [] };

/**
 * Selects the log proof of a key's signature. Such a signature counts without a log, for the log entry could be left
 * out of the image anyway. If no trusted root knows the log, the entry is ignored; otherwise it must verify.
 */
const proofForKey = (proof: LogProof, { sigstore = [] }: SigstoreTrust): LogProof =>
  proof.entries.length > 0 && sigstore.some((root) => knowsLogs(root, proof)) ? proof : nothing;

/** Whether the bundle is a signature: a statement of another predicate type is none. */
function isSignature({ content }: ArtifactBundle): boolean {
  if (content.kind === "message")
    throw unsupported("the bundle signs a message, not a statement of cosign's");
  return readStatement(content.payload).predicateType === signPredicate;
}

function verifyBundle(layer: Layer, question: Question): SignatureEvidence | undefined {
  const { image, trust, now } = question;
  const bundle = parseArtifactBundle(layer.read());
  if (!isSignature(bundle)) return undefined;
  const { material, proof } = bundle;
  const usable = material.kind === "publicKey" ? { ...bundle, proof: proofForKey(proof, trust) } : bundle;
  const artifact = { sha256: image.slice("sha256:".length) };
  const { keys, sigstore = [] } = trust;
  const verdict = verifyArtifact(usable, artifact, { keys, sigstore, log: "ifPresent" }, now);
  if (verdict.outcome === "proved") return signed(question, signerOf(verdict.signer));
  const { refusal, selfConsistent, signer } = verdict;
  return untrusted(format, refusal, {
    selfConsistent,
    ...(signer === undefined ? {} : { signer: signerOf(signer) }),
  });
}

function verifyByKey(
  payload: Uint8Array,
  annotated: AnnotatedSignature,
  question: Question,
): SignatureEvidence {
  const { trust, now } = question;
  const { signature } = annotated;
  const message = { bytes: payload };
  const tried = triedKeys(trust.keys, payload.byteLength);
  const key = tried.find((one) => isSignedBy(one.key, message, signature));
  if (key === undefined) {
    const message = "it was signed by a key that is none of the trusted keys, or changed since";
    return untrusted(format, { code: "UNTRUSTED_SIGNER", message });
  }
  const proof = proofForKey(annotated.proof, trust);
  if (proof.entries.length === 0) return signed(question, keySigner(key));
  const subject = toSubject({ signature, signed: message, by: { key: key.key, logOptional: true }, proof });
  const result = proofsOf(subject, trust.sigstore ?? [], now);
  return "refusal" in result
    ? untrusted(format, result.refusal, { selfConsistent: true, signer: keySigner(key) })
    : signed(question, keySigner(key));
}

function verifySimpleSigning(layer: Layer, question: Question): SignatureEvidence {
  const payload = layer.read();
  const annotated = readAnnotations(layer.annotations);
  assertSimpleSigning(payload, question.image);
  const { certificate, signature, proof } = annotated;
  if (certificate === undefined) return verifyByKey(payload, annotated, question);
  const claimed = { signature, signed: { bytes: payload }, proof };
  const { sigstore = [] } = question.trust;
  const { signer, refusal, selfConsistent } = verifyByIdentity([certificate], claimed, sigstore);
  return refusal === undefined
    ? signed(question, signer)
    : untrusted(format, refusal, { signer, selfConsistent });
}

/** Turns a fault of one signature into evidence: the others are verified regardless. */
function attempt(verify: () => SignatureEvidence | undefined): readonly SignatureEvidence[] {
  try {
    const evidence = verify();
    return evidence === undefined ? [] : [evidence];
  } catch (cause) {
    if (!(cause instanceof SignatureError)) throw cause;
    return [untrusted(format, cause)];
  }
}

function verifyManifest(fetched: FetchedManifest, question: Question): readonly SignatureEvidence[] {
  const manifest = readSignatureManifest(fetched);
  const bundles = manifest.layers.filter(({ mediaType }) => bundleType.test(mediaType));
  const payloads = manifest.layers.filter(({ mediaType }) => mediaType === simpleSigningType);
  if (bundles.length + payloads.length === 0) return [];
  assertRefersTo(manifest, question.image);
  if (bundles.length > 0 && (manifest.subject === undefined || manifest.layers.length > 1))
    throw malformed("a bundle stands alone in a manifest that refers to the image");
  return [
    ...bundles.flatMap((layer) => attempt(() => verifyBundle(layer, question))),
    ...payloads.flatMap((layer) => attempt(() => verifySimpleSigning(layer, question))),
  ];
}

const order: readonly SignatureEvidence["outcome"][] = ["signed", "untrusted"];

/**
 * Verifies all cosign signatures of an image: bundles in manifests that refer to it (since version 3), and payloads
 * with annotations (before). Synchronous and pure. Registry data is untrusted; annotations decide nothing.
 *
 * @param image digest of the image's manifest or index
 * @param manifests all that the registry has about the image; manifests without signatures are ignored
 * @param trust the only source of roots and keys
 * @param now milliseconds since 1970
 * @returns evidence of each signature, `signed` before `untrusted`; without any, one `unsigned`
 */
export function verifyCosign(
  image: Sha256,
  manifests: readonly FetchedManifest[],
  trust: CosignTrust,
  now: number,
): readonly [SignatureEvidence, ...SignatureEvidence[]] {
  if (!/^sha256:[0-9a-f]{64}$/.test(image))
    return [untrusted(format, malformed(`${quoted(image)} is no digest`))];
  if (manifests.length > maxManifests)
    return [untrusted(format, malformed(`the image has more than ${maxManifests} manifests of signatures`))];
  const question = { image, trust, now };
  const [first, ...others] = manifests
    .flatMap((fetched) => {
      try {
        return verifyManifest(fetched, question);
      } catch (cause) {
        if (!(cause instanceof SignatureError)) throw cause;
        return [untrusted(format, cause)];
      }
    })
    .sort((one, other) => order.indexOf(one.outcome) - order.indexOf(other.outcome));
  return first === undefined
    ? [{ outcome: "unsigned", digest: image, validity: always }]
    : [first, ...others];
}
