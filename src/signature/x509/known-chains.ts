import type { KeyObject } from "node:crypto";
import { LRUCache } from "lru-cache";
import { sha256Hex } from "../../skill/digest.ts";
import { parseCertificate, type Certificate } from "./certificate.ts";
import type { MalleableFingerprint } from "./malleable-fingerprint.ts";
import { assertLinked, assertMaySign, findPaths, type ChainPaths } from "./chain.ts";
import { keyFingerprint } from "../key.ts";
import { decodeBase64 } from "../json-fields.ts";
import { SignatureError } from "../signature-error.ts";
import type { X509Trust } from "./x509-trust.ts";

/** Signer of kind certificate: the leaf's owner. */
export interface CertificateSigner {
  readonly kind: "certificate";
  /** Distinguished name of the leaf, most specific part first: `CN=…, O=…, C=…`. */
  readonly subject: string;
  /** The same by attribute, `{CN: ["…"], O: ["…"]}`: policies compare `subject` with it. */
  readonly attributes: Readonly<Record<string, readonly string[]>>;
  /** SHA-256 over the leaf's DER, hex. */
  readonly fingerprint: string;
  /** SHA-256 over the leaf's SubjectPublicKeyInfo, hex. */
  readonly publicKey: string;
  /** Fingerprints of the trust anchors to which the chain was verified. Empty: none. */
  readonly anchors: readonly string[];
  /** Fingerprints of every certificate above the leaf on the paths to these anchors, anchors included. */
  readonly issuers?: readonly string[];
  /** SHA-256 over the SubjectPublicKeyInfo of each of these certificates, hex. */
  readonly issuerKeys?: readonly string[];
  /** Last moment at which the certificates of one of these paths are all valid, milliseconds since 1970. */
  readonly notAfter?: number;
  /** Malleable fingerprints of these certificates and the leaf; see `malleableFingerprints`. */
  readonly malleable?: readonly MalleableFingerprint[];
}

/** A bundle's chain, verified in all that does not depend on time. */
export interface KnownChain extends ChainPaths {
  readonly leafKey: KeyObject;
  /** Without anchors: their validity depends on time. */
  readonly signer: CertificateSigner;
  /** Refusal of a leaf that may not sign. */
  readonly leafFault?: SignatureError;
}

/**
 * Limits of remembered chains, and of their characters: real chains have 4,000, hostile ones fifty times as many, and
 * Node takes several times the size of each.
 */
const bounds = { max: 256, maxSize: 2 * 1024 * 1024 } as const;

/** Verified chains, for publishers have few and sign many skills. Dropped with their trust material. */
const known = new WeakMap<X509Trust, LRUCache<string, KnownChain>>();

function leafFaultOf(leaf: Certificate): Pick<KnownChain, "leafFault"> {
  try {
    assertMaySign(leaf);
    return {};
  } catch (cause) {
    if (cause instanceof SignatureError) return { leafFault: cause };
    throw cause;
  }
}

function readChain(certificates: readonly string[], trust: X509Trust): KnownChain {
  const chain = certificates.map((text, at) => {
    const where = `certificate ${at + 1} of the chain`;
    return parseCertificate(decodeBase64(text, where), where);
  });
  const [leaf] = chain;
  if (leaf === undefined) throw new RangeError("a chain has a leaf");
  assertLinked(chain);
  return {
    ...findPaths(chain, trust),
    ...leafFaultOf(leaf),
    leafKey: leaf.publicKey,
    signer: {
      kind: "certificate",
      subject: leaf.subject.text,
      attributes: leaf.subject.attributes,
      fingerprint: leaf.fingerprint,
      publicKey: keyFingerprint(leaf.publicKey),
      anchors: [],
    },
  };
}

/**
 * Verifies a bundle's chain by this trust material, or remembers the result.
 * @param certificates base64 of the DER, leaf first
 * @throws SignatureError MANIFEST_MALFORMED
 */
export function knownChain(certificates: readonly string[], trust: X509Trust): KnownChain {
  let chains = known.get(trust);
  if (chains === undefined) {
    chains = new LRUCache(bounds);
    known.set(trust, chains);
  }
  const key = sha256Hex(certificates.join("\n"));
  let chain = chains.get(key);
  if (chain === undefined) {
    chain = readChain(certificates, trust);
    chains.set(key, chain, { size: certificates.reduce((size, { length }) => size + length, 1) });
  }
  return chain;
}
