import type { KeyObject } from "node:crypto";
import { LRUCache } from "lru-cache";
import { sha256Hex } from "../../skill/digest.ts";
import { parseCertificate, type Certificate } from "./certificate.ts";
import { assertLinked, assertMaySign, findPaths, type ChainPaths } from "./chain.ts";
import { keyFingerprint } from "../key.ts";
import { decodeBase64 } from "../json-fields.ts";
import { SignatureError } from "../signature-error.ts";
import type { Signer } from "../signature-evidence.ts";
import type { TrustMaterial } from "../trust-material.ts";

/** A bundle's chain, read and checked in everything that does not change with time. */
export interface KnownChain extends ChainPaths {
  readonly leafKey: KeyObject;
  /** Without anchors: which of them hold depends on the time. */
  readonly signer: Extract<Signer, { kind: "certificate" }>;
  /** Why the leaf may sign nothing at all. */
  readonly leafFault?: SignatureError;
}

/**
 * Chains that are remembered, and their characters in all: real ones have 4,000. Strangers may bring fifty times as many, and
 * Node takes several times the size of each.
 */
const bounds = { max: 256, maxSize: 2 * 1024 * 1024 } as const;

/** Publishers have few chains and sign many skills. Dropped with the trust material that they were checked against. */
const known = new WeakMap<TrustMaterial, LRUCache<string, KnownChain>>();

function leafFaultOf(leaf: Certificate): Pick<KnownChain, "leafFault"> {
  try {
    assertMaySign(leaf);
    return {};
  } catch (cause) {
    if (cause instanceof SignatureError) return { leafFault: cause };
    throw cause;
  }
}

function readChain(certificates: readonly string[], trust: TrustMaterial): KnownChain {
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
 * The chain of a bundle against this trust material, from memory where it was seen before.
 * @param certificates base64 of the DER, leaf first
 * @throws SignatureError MANIFEST_MALFORMED
 */
export function knownChain(certificates: readonly string[], trust: TrustMaterial): KnownChain {
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
