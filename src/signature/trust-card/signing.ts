import { defined } from "../../text/fields.ts";
import type { Json } from "../../text/json.ts";
import {
  assertFields,
  assertObject,
  decodeBase64,
  fieldOf,
  textOf,
  type JsonObject,
} from "../json-fields.ts";
import { malformed, unsupported } from "../signature-error.ts";
import { quoted } from "../../text/printable.ts";

/** Path of a keyless signature in a skill: beside the card, at the skill's root. */
export const cardBundleFileName = "CARD.md.sigstore";

/** A card's claim about its signature, unproved: a card cannot decide whom to trust. */
export type CardSigning =
  | {
      readonly scheme: "ed25519";
      /** The raw 32 bytes of the key in the card. */
      readonly publicKey: Uint8Array;
      /** 64 bytes. */
      readonly signature: Uint8Array;
    }
  | {
      readonly scheme: "sigstore-keyless";
      /** Identity of the certificate as the card states it, if it does. */
      readonly identity?: string;
      readonly issuer?: string;
    };

const where = "the card's signing";

function sizedBytes(field: string, text: string, size: number): Uint8Array {
  const bytes = decodeBase64(text, `${where}.${field}`);
  if (bytes.byteLength !== size) throw malformed(`${where}.${field} does not have ${size} bytes`);
  return bytes;
}

function byKey(signing: JsonObject): CardSigning {
  assertFields(signing, where, new Set(["scheme", "public_key", "signature"]));
  const key = textOf(signing, "public_key", where);
  if (!key.startsWith("ed25519:")) throw malformed(`${where}.public_key does not begin with "ed25519:"`);
  return {
    scheme: "ed25519",
    publicKey: sizedBytes("public_key", key.slice("ed25519:".length), 32),
    signature: sizedBytes("signature", textOf(signing, "signature", where), 64),
  };
}

function claimOf(signing: JsonObject, field: string): string | undefined {
  const value = fieldOf(signing, field) ?? null;
  if (value === null) return undefined;
  return textOf(signing, field, where);
}

function keyless(signing: JsonObject): CardSigning {
  assertFields(signing, where, new Set(["scheme", "bundle", "cert_identity", "cert_issuer"]));
  const bundle = textOf(signing, "bundle", where);
  if (bundle !== cardBundleFileName)
    throw malformed(`${where}.bundle is ${quoted(bundle)}, expected ${cardBundleFileName}`);
  const [identity, issuer] = [claimOf(signing, "cert_identity"), claimOf(signing, "cert_issuer")];
  return {
    scheme: "sigstore-keyless",
    ...defined({ identity, issuer }),
  };
}

/**
 * Reads a card's `signing`; undefined (absent or null) for an unsigned card.
 * @throws SignatureError MANIFEST_MALFORMED, or UNSUPPORTED_FORMAT for another scheme
 */
export function readSigning(value: Json | undefined): CardSigning | undefined {
  if (value === undefined || value === null) return undefined;
  const signing = assertObject(value, where);
  const scheme = textOf(signing, "scheme", where);
  if (scheme === "ed25519") return byKey(signing);
  if (scheme === "sigstore-keyless") return keyless(signing);
  throw unsupported(`${where}.scheme is ${quoted(scheme)}, expected ed25519 or sigstore-keyless`);
}
