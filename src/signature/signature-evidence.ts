import type { Sha256 } from "../skill/digest.ts";
import type { Difference } from "./compare.ts";
import { SignatureError, type SignatureFault } from "./signature-error.ts";
import type { KeylessSigner } from "./sigstore/keyless.ts";
import type { Unproved } from "./sigstore/log/proofs.ts";
import type { KeySigner } from "./trusted-key.ts";
import { always, type Validity } from "./validity.ts";
import type { CertificateSigner } from "./x509/known-chains.ts";

/** Formats whose signatures stand in a skill's folder, in the order in which they are looked for. */
export const folderFormats = ["oms", "guide", "vett", "trust-card"] as const;
export type FolderFormat = (typeof folderFormats)[number];

/** Those that this program signs in. */
export const signingFormats = ["oms", "guide"] as const satisfies readonly FolderFormat[];
export type SigningFormat = (typeof signingFormats)[number];

/** Do signatures of this format stand in the folder, and not in a registry. */
export const isFolderFormat = (format: SignatureFormat): format is FolderFormat =>
  folderFormats.some((one) => one === format);

/** Signature formats that are understood. */
export type SignatureFormat = FolderFormat | "cosign";

/** A registry that signs skills by a key of its own. */
export interface RegistrySigner {
  readonly kind: "registry";
  /** How the registry calls its key. */
  readonly hint: string;
  /** SHA-256 over the key's SubjectPublicKeyInfo, hex. */
  readonly publicKey: string;
  /** Names of the registries whose key it is: `trust-root/registry`. */
  readonly names: readonly string[];
  /** Fingerprints of these registries. Empty where nothing was proved. */
  readonly registries: readonly string[];
  /** Registries whose key it is and whose log does not prove it. Absent: there are none. */
  readonly unproved?: readonly Unproved[];
  /**
   * The skill for which its signature stands here: the folder's own name, which is not signed, and both hashes of the
   * signed manifest, hex. Policies say which of them belong together.
   */
  readonly skill: { readonly name: string; readonly hashes: readonly string[] };
  /** When it was signed, as log or timestamp authority prove; milliseconds since 1970. */
  readonly signedAt?: number;
}

/** Who made a signature, as far as it was proved. */
export type Signer = CertificateSigner | KeySigner | KeylessSigner | RegistrySigner;

/**
 * What was established about one skill's signature. Never an opinion: `policy/` forms that.
 *
 * - `signed`: a trusted signer signed exactly this tree; `unlisted` names files outside the signed list that
 *   the signature tells verifiers to ignore (they are not covered).
 * - `tampered`: a trusted signer's valid signature, but the tree differs.
 * - `untrusted`: nothing was proved. `differences` and `signer` are then information, not evidence.
 * - `unsigned`: there is no signature file.
 */
export type SignatureEvidence =
  | {
      readonly outcome: "signed";
      readonly format: SignatureFormat;
      /** The signature file's path in the skill, where that has several. */
      readonly path?: string;
      readonly digest: Sha256;
      readonly signer: Signer;
      readonly unlisted: readonly string[];
      /**
       * The last moment for which the signature file says that it may be relied on, milliseconds since 1970. Nobody signed
       * that (a trust card's day).
       */
      readonly expires?: number;
      readonly validity: Validity;
    }
  | {
      readonly outcome: "tampered";
      readonly format: SignatureFormat;
      readonly path?: string;
      readonly digest: Sha256;
      readonly signer: Signer;
      readonly differences: readonly Difference[];
      /** These two as of `signed`. */
      readonly unlisted: readonly string[];
      readonly expires?: number;
      readonly validity: Validity;
    }
  | {
      readonly outcome: "untrusted";
      readonly format: SignatureFormat;
      readonly path?: string;
      readonly fault: SignatureFault;
      /** One sentence for people, with the remedy where there is one. */
      readonly detail: string;
      /** Is the envelope's signature valid under the key that the bundle itself brings (an unknown signer). */
      readonly selfConsistent: boolean;
      readonly digest?: Sha256;
      readonly signer?: Signer;
      readonly differences?: readonly Difference[];
      readonly validity: Validity;
    }
  | { readonly outcome: "unsigned"; readonly digest: Sha256; readonly validity: Validity };

type Signed = Extract<SignatureEvidence, { outcome: "signed" }>;
type Tampered = Extract<SignatureEvidence, { outcome: "tampered" }>;
type Untrusted = Extract<SignatureEvidence, { outcome: "untrusted" }>;

/** A trusted signer's valid signature: what is left is how the tree stands to the signed list. */
export function trusted(
  format: SignatureFormat,
  {
    differences = [],
    ...signed
  }: Omit<Signed, "outcome" | "format" | "validity"> & Partial<Pick<Tampered, "differences" | "validity">>,
): Signed | Tampered {
  const common = { format, validity: always, ...signed };
  return differences.length === 0
    ? { ...common, outcome: "signed" }
    : { ...common, outcome: "tampered", differences };
}

/** A signature that proves nothing, and why. */
export const untrusted = (
  format: SignatureFormat,
  { code, message }: Pick<SignatureError, "code" | "message">,
  about: Partial<Omit<Untrusted, "outcome" | "format" | "fault" | "detail">> = {},
): Untrusted => ({
  outcome: "untrusted",
  format,
  fault: code,
  detail: message,
  selfConsistent: false,
  validity: always,
  ...about,
});

/** Turns what a signature file cannot be used for into evidence: whatever its bytes hold, verifying does not throw. */
export function evidenceOf(format: SignatureFormat, verify: () => SignatureEvidence): SignatureEvidence {
  try {
    return verify();
  } catch (cause) {
    if (cause instanceof SignatureError) return untrusted(format, cause);
    throw cause;
  }
}
