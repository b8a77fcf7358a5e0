import { hash } from "node:crypto";
import { isFields } from "../../text/fields.ts";
import { JsonError, parseStrictJson } from "../../text/json.ts";
import { skillLimits } from "../../skill/limits.ts";
import { SignatureError, unsupported } from "../signature-error.ts";
import { parseArtifactBundle } from "../sigstore/artifact/bundle.ts";
import { readLegacyBundle } from "../sigstore/legacy-bundle.ts";
import type { LogProof } from "../sigstore/log/entry.ts";
import { cardBundleFileName } from "./signing.ts";

/** A keyless signature over a card's digest, with its proof. */
export interface CardBundle {
  readonly signature: Uint8Array;
  /** Leaf first; base64 of the DER. */
  readonly certificates: readonly string[];
  readonly proof: LogProof;
}

/** Whether it is a Sigstore bundle: cosign writes these today, and wrote its own when the format was made. */
function isSigstoreBundle(bytes: Uint8Array): boolean {
  if (bytes.byteLength > skillLimits.signatureBytes) return false;
  try {
    const value = parseStrictJson(bytes);
    return isFields(value) && Object.hasOwn(value, "mediaType");
  } catch (cause) {
    if (cause instanceof JsonError) return false;
    throw cause;
  }
}

/**
 * Reads `CARD.md.sigstore`: cosign's older bundle, or a Sigstore bundle with a message signature.
 * @param message the bytes that must be signed
 * @throws SignatureError MANIFEST_MALFORMED; UNSUPPORTED_FORMAT for a bundle without certificate or with a statement;
 *   BAD_SIGNATURE if the bundle states another message's digest
 */
export function readCardBundle(bytes: Uint8Array, message: Uint8Array): CardBundle {
  if (!isSigstoreBundle(bytes)) return readLegacyBundle(bytes, cardBundleFileName);
  const { material, content, signature, proof } = parseArtifactBundle(bytes);
  if (material.kind !== "certificate")
    throw unsupported(
      `${cardBundleFileName} holds no certificate: a signature by a key alone names no signer`,
    );
  if (content.kind !== "message")
    throw unsupported(`${cardBundleFileName} holds a statement, expected a signature over the card's digest`);
  const { name, value } = content.digest;
  if (!hash(name, message, "buffer").equals(value))
    throw new SignatureError(
      "BAD_SIGNATURE",
      `${cardBundleFileName} is about another digest than the card's`,
    );
  return { signature, certificates: material.certificates, proof };
}
