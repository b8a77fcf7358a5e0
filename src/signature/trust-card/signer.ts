import { LRUCache } from "lru-cache";
import { createPublicKey, type KeyObject } from "node:crypto";
import type { SkillFile } from "../../skill/skill.ts";
import { ed25519KeyFault, verifyEd25519 } from "../ed25519.ts";
import { keyFingerprint } from "../key.ts";
import { malformed, SignatureError } from "../signature-error.ts";
import { quoted } from "../../text/printable.ts";
import type { Signer } from "../signature-evidence.ts";
import { verifyByIdentity, type KeylessVerdict } from "../sigstore/keyless.ts";
import type { SigstoreTrust } from "../sigstore/root/sigstore-root.ts";
import { keySigner, type KeyTrust } from "../trusted-key.ts";
import { readCardBundle } from "./bundle.ts";
import type { TrustCard } from "./card-file.ts";
import { cardBundleFileName, type CardSigning } from "./signing.ts";

/** Signer of a card's digest, or the refusal. */
export type CardSigner =
  | { readonly signer: Signer }
  | { readonly signer?: Signer; readonly refusal: SignatureError; readonly selfConsistent: boolean };

type ByKey = Extract<CardSigning, { scheme: "ed25519" }>;
type Keyless = Extract<CardSigning, { scheme: "sigstore-keyless" }>;

/** The signed message: the digest exactly as in the card, ASCII. */
const messageOf = ({ digest }: TrustCard): Buffer => Buffer.from(digest);

/** Imported keys by their bytes, for a few keys sign many cards. Trust is not cached here. */
const known = new LRUCache<string, KeyObject>({ max: 256 });

function importKey(x: string): KeyObject {
  let key: KeyObject;
  try {
    key = createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x }, format: "jwk" });
  } catch (cause) {
    throw malformed("the card's public key is none", { cause });
  }
  const fault = ed25519KeyFault(key);
  if (fault !== undefined) throw malformed(`the card's public key ${fault}`);
  return key;
}

function keyOf({ publicKey }: ByKey): KeyObject {
  const x = Buffer.from(publicKey).toString("base64url");
  const key = known.get(x) ?? importKey(x);
  known.set(x, key);
  return key;
}

/** Verifies a signature by a key. The card's key only selects among the trusted keys. */
function signedByKey(card: TrustCard, signing: ByKey, { keys }: KeyTrust): CardSigner {
  const key = keyOf(signing);
  const fingerprint = keyFingerprint(key);
  const trusted = keys.find((candidate) => candidate.fingerprint === fingerprint);
  const signer = trusted === undefined ? {} : { signer: keySigner(trusted) };
  if (!verifyEd25519(key, messageOf(card), signing.signature)) {
    const detail =
      "the signature does not match the card's target_digest: one of them was changed, or another key signed";
    return { ...signer, refusal: new SignatureError("BAD_SIGNATURE", detail), selfConsistent: false };
  }
  if (signer.signer !== undefined) return { signer: signer.signer };
  const detail = `signed with the Ed25519 key ${fingerprint.slice(0, 16)}…, which the card names and nobody here trusts`;
  return { refusal: new SignatureError("UNTRUSTED_SIGNER", detail), selfConsistent: true };
}

/** Refuses a card that names another signer than its certificate does: it would mislead readers. */
function assertNamed(what: string, claimed: string | undefined, proved: string): void {
  if (claimed === undefined || claimed === proved) return;
  throw malformed(
    `the card says that it was signed by the ${what} ${quoted(claimed)}, its certificate says ${quoted(proved)}`,
  );
}

function verifyBundle(card: TrustCard, bundle: SkillFile, { sigstore = [] }: SigstoreTrust): KeylessVerdict {
  const message = messageOf(card);
  const { certificates, signature, proof } = readCardBundle(bundle.bytes, message);
  return verifyByIdentity(certificates, { signature, signed: { bytes: message }, proof }, sigstore);
}

function signedByIdentity(
  card: TrustCard,
  signing: Keyless,
  bundle: SkillFile | undefined,
  trust: SigstoreTrust,
): CardSigner {
  if (bundle === undefined)
    throw malformed(`${cardBundleFileName}, which holds the signature, is missing: mount it with the skill`);
  const { signer, refusal, selfConsistent } = verifyBundle(card, bundle, trust);
  assertNamed("identity", signing.identity, signer.identity);
  assertNamed("issuer", signing.issuer, signer.issuer);
  return refusal === undefined ? { signer } : { signer, refusal, selfConsistent };
}

/**
 * Verifies a card's signature over its digest. Trust comes from `trust` alone: a card may name any key and any
 * identity.
 * @param bundle the file with the keyless signature, if there is one
 * @throws SignatureError if signature, key or certificate is unreadable, or the card contradicts its certificate
 */
export function verifySigner(
  card: TrustCard,
  signing: CardSigning,
  bundle: SkillFile | undefined,
  trust: KeyTrust & SigstoreTrust,
): CardSigner {
  return signing.scheme === "ed25519"
    ? signedByKey(card, signing, trust)
    : signedByIdentity(card, signing, bundle, trust);
}
