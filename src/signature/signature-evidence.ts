import type { Sha256 } from "../skill/digest.ts";
import type { CertificateTwin } from "./x509/certificate-twin.ts";
import type { CertificateClaim } from "./sigstore/identity/claims.ts";

/** Signature formats that are understood. */
export type SignatureFormat = "oms" | "guide" | "vett" | "trust-card" | "cosign";

/** Trust that asks for more than a signature brings. Another policy's may be content with it. */
export interface Unproved {
  /** Fingerprint of the Sigstore root or registry. */
  readonly by: string;
  readonly code: SignatureFault;
  /** What it lacks, in words that follow a colon. */
  readonly why: string;
}

/** Who made a signature, as far as it was proved. */
export type Signer =
  | {
      readonly kind: "certificate";
      /** Distinguished name of the leaf, most specific part first: `CN=…, O=…, C=…`. */
      readonly subject: string;
      /** The same, by attribute: `{CN: ["…"], O: ["…"]}`; what a policy's `subject` is compared with. */
      readonly attributes: Readonly<Record<string, readonly string[]>>;
      /** SHA-256 over the leaf's DER, hex. */
      readonly fingerprint: string;
      /** SHA-256 over the leaf's SubjectPublicKeyInfo, hex. */
      readonly publicKey: string;
      /** Fingerprints of the trust anchors that the chain was verified to. Empty where to none. */
      readonly anchors: readonly string[];
      /** Fingerprints of every certificate above the leaf on the ways to these anchors, themselves included. */
      readonly issuers?: readonly string[];
      /** SHA-256 over their SubjectPublicKeyInfos, hex. */
      readonly issuerKeys?: readonly string[];
      /** What else these certificates and the leaf may be called; see `certificateTwins`. */
      readonly twins?: readonly CertificateTwin[];
    }
  | {
      readonly kind: "key";
      /** SHA-256 over the SubjectPublicKeyInfo, hex; equals `TrustedKey.fingerprint`. */
      readonly publicKey: string;
      readonly names: readonly string[];
    }
  | {
      readonly kind: "keyless";
      /** E-mail address or URI for which the certificate was issued; compared whole. */
      readonly identity: string;
      /** OpenID Connect issuer who vouched for it; a URL. */
      readonly issuer: string;
      /** What the certificate says of the build that signed, by the names that Fulcio gives its extensions. */
      readonly claims: Readonly<Partial<Record<CertificateClaim, string>>>;
      /** SHA-256 over the certificate's DER, hex. */
      readonly fingerprint: string;
      /** SHA-256 over its SubjectPublicKeyInfo, hex. */
      readonly publicKey: string;
      /** Fingerprints of the Sigstore roots by which it was proved. Empty where by none. */
      readonly roots: readonly string[];
      /** Fingerprints of these roots' certificates above the signer's. */
      readonly issuers?: readonly string[];
      /** SHA-256 over their SubjectPublicKeyInfos, hex. */
      readonly issuerKeys?: readonly string[];
      /** What else the certificate may be called; see `certificateTwins`. */
      readonly twins?: readonly CertificateTwin[];
      /** Roots that know its logs and do not prove it. Absent: there are none. */
      readonly unproved?: readonly Unproved[];
      /** When it was signed, as timestamp authority or log prove; milliseconds since 1970. */
      readonly signedAt?: number;
    }
  | {
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
    };

/** One path at which the tree and the signed list disagree. Digests carry their algorithm: `sha256:…`, `blake2b:…`. */
export interface Difference {
  readonly path: string;
  readonly change: "modified" | "missing" | "added";
  readonly signed?: string;
  readonly found?: string;
}

/** Why a signature proves nothing. */
export type SignatureFault =
  /** The signature's mathematics do not check out, or its key usage forbids signing. */
  | "BAD_SIGNATURE"
  /** It checks out, but under no key or root that anyone here trusts. */
  | "UNTRUSTED_SIGNER"
  /** The signer's certificate, or one above it, was revoked by its issuer's list. */
  | "REVOKED"
  /** The signer's certificate, one above it, or the list of revoked ones is outside its validity at the time of review. */
  | "SIGNER_EXPIRED"
  /** The signature file, its payload or its list of files breaks a rule of the format. */
  | "MANIFEST_MALFORMED"
  /** A format, algorithm or version that is not understood. */
  | "UNSUPPORTED_FORMAT";

/** Span of time in which a statement about a signature stays true; milliseconds since 1970, ends inclusive. */
export interface Validity {
  readonly notBefore: number;
  readonly notAfter: number;
}

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

/** A statement that does not depend on time. */
export const always: Validity = { notBefore: -8.64e15, notAfter: 8.64e15 };
