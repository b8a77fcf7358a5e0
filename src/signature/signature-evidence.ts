import type { Sha256 } from "../skill/digest.ts";
import type { Difference } from "./compare.ts";
import { SignatureError, type SignatureFault } from "./signature-error.ts";
import type { KeylessSigner } from "./sigstore/keyless.ts";
import type { Unproved } from "./sigstore/log/proofs.ts";
import type { KeySigner } from "./trusted-key.ts";
import { always, type Validity } from "./validity.ts";
import type { CertificateSigner } from "./x509/known-chains.ts";

/** Formats with signatures in a skill's folder, in the order of search. */
export const folderFormats = ["oms", "guide", "vett", "trust-card"] as const;
export type FolderFormat = (typeof folderFormats)[number];

/** Formats that this program can sign in. */
export const signingFormats = ["oms", "guide"] as const satisfies readonly FolderFormat[];
export type SigningFormat = (typeof signingFormats)[number];

/** Whether signatures of this format are in the skill's folder, as opposed to a registry. */
export const isFolderFormat = (format: SignatureFormat): format is FolderFormat =>
  folderFormats.some((one) => one === format);

/** Supported signature formats. */
export type SignatureFormat = FolderFormat | "cosign";

/** Signer of kind registry: it signs skills with its own key. */
export interface RegistrySigner {
  readonly kind: "registry";
  /** The hint by which bundles name its key. */
  readonly hint: string;
  /** SHA-256 over the key's SubjectPublicKeyInfo, hex. */
  readonly publicKey: string;
  /** Names of the registries with this key: `trust-root/registry`. */
  readonly names: readonly string[];
  /** Fingerprints of the registries whose log proves the signature. Empty: none does. */
  readonly registries: readonly string[];
  /** Registries with this key whose log does not prove the signature. Absent: none. */
  readonly unproved?: readonly Unproved[];
  /**
   * The skill: the folder's own name, which is not signed, and both hashes of the signed manifest, hex. Policies
   * decide whether they belong together.
   */
  readonly skill: { readonly name: string; readonly hashes: readonly string[] };
  /** Time of signing, proved by log or timestamp authority; milliseconds since 1970. */
  readonly signedAt?: number;
}

/** Signer of a signature, as far as proved. */
export type Signer = CertificateSigner | KeySigner | KeylessSigner | RegistrySigner;

/**
 * Evidence about one signature of a skill. Facts only: `policy/` judges them.
 *
 * - `signed`: a trusted signer signed exactly this tree. `unlisted` names files that the signature tells verifiers to
 * ignore: they are not covered.
 * - `tampered`: a trusted signer's valid signature, but the tree differs.
 * - `untrusted`: nothing was proved; `differences` and `signer` inform only.
 * - `unsigned`: there is no signature file.
 */
export type SignatureEvidence =
  | {
      readonly outcome: "signed";
      readonly format: SignatureFormat;
      /** The signature file's path, if the skill has several signature files. */
      readonly path?: string;
      readonly digest: Sha256;
      readonly signer: Signer;
      readonly unlisted: readonly string[];
      /**
       * End of the time for which the signature file itself claims validity, milliseconds since 1970; not signed (a
       * trust card's day).
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
      /** `unlisted` and `expires` as of `signed`. */
      readonly unlisted: readonly string[];
      readonly expires?: number;
      readonly validity: Validity;
    }
  | {
      readonly outcome: "untrusted";
      readonly format: SignatureFormat;
      readonly path?: string;
      readonly fault: SignatureFault;
      /** One sentence, with the remedy if there is one. */
      readonly detail: string;
      /** Remedy if the fault's own would not help: one clause in the imperative. */
      readonly remedy?: string;
      /** Whether the signature verifies under the key that the bundle itself brings: an unknown signer. */
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

/** Evidence of a trusted signer's valid signature: `signed` or, with differences in the tree, `tampered`. */
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

/** Evidence of a signature that proves nothing, with the fault. */
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

/** Turns a SignatureError into evidence: verifying never throws, whatever the bytes hold. */
export function evidenceOf(format: SignatureFormat, verify: () => SignatureEvidence): SignatureEvidence {
  try {
    return verify();
  } catch (cause) {
    if (cause instanceof SignatureError) return untrusted(format, cause);
    throw cause;
  }
}
