import { curveDigest } from "./key.ts";
import { parseCertificate, type Certificate } from "./certificate.ts";
import { SignatureError, malformed, unsupported } from "./signature-error.ts";
import type { Validity } from "./signature-evidence.ts";
import type { TrustMaterial } from "./trust-material.ts";

/** One way from a leaf to a trust anchor that keeps all rules but those of time. */
export interface ChainPath {
  /** Fingerprint of the anchor. */
  readonly anchor: string;
  /** Fingerprints of the certificates above the leaf, the anchor last. */
  readonly issuers: readonly string[];
  /** When every certificate on the way, the anchor included, is valid. Never: `notBefore` after `notAfter`. */
  readonly validity: Validity;
}

/** All that is found of ways; `refusal` says why one was not counted, or why there is none. */
export interface ChainPaths {
  readonly paths: readonly ChainPath[];
  readonly refusal: string;
}

/** Signatures that one search may check: a real one needs three. */
const maxChecks = 100;
const maxLength = 10;

const codeSigning = "1.3.6.1.5.5.7.3.3";
const anyPurpose = "2.5.29.37.0";

/** ECDSA and RSA (PKCS #1 v1.5) with SHA-2. SHA-1 and MD5 can be forged. */
const acceptedAlgorithms: ReadonlySet<string> = new Set([
  "1.2.840.10045.4.3.2",
  "1.2.840.10045.4.3.3",
  "1.2.840.10045.4.3.4",
  "1.2.840.113549.1.1.11",
  "1.2.840.113549.1.1.12",
  "1.2.840.113549.1.1.13",
]);

const isIssuedBy = (certificate: Certificate, issuer: Certificate): boolean => {
  if (certificate.issuerId !== issuer.subjectId) return false;
  try {
    return certificate.x509.verify(issuer.publicKey);
  } catch {
    return false;
  }
};

/** Anchors of one trust material, parsed once; by the name that they issue under. */
type AnchorIndex = ReadonlyMap<string, readonly Anchor[]>;

interface Anchor {
  readonly certificate: Certificate;
  readonly selfSigned: boolean;
}

const indexes = new WeakMap<TrustMaterial, AnchorIndex>();

function anchorsOf(trust: TrustMaterial): AnchorIndex {
  const known = indexes.get(trust);
  if (known !== undefined) return known;
  const index = new Map<string, Anchor[]>();
  for (const { certificate: x509, names } of trust.anchors) {
    let certificate: Certificate;
    try {
      certificate = parseCertificate(x509, names.join(", "));
    } catch (cause) {
      // Trusted by nobody then; the adapter that read it tells its operator.
      if (cause instanceof SignatureError) continue;
      throw cause;
    }
    const anchor = { certificate, selfSigned: isIssuedBy(certificate, certificate) };
    index.set(certificate.subjectId, [...(index.get(certificate.subjectId) ?? []), anchor]);
  }
  indexes.set(trust, index);
  return index;
}

/**
 * A bundle's chain: every certificate issued the one before it, which the reference does not ask for.
 * @throws SignatureError MANIFEST_MALFORMED
 */
export function assertLinked(chain: readonly Certificate[]): void {
  for (const [at, certificate] of chain.entries()) {
    const issuer = chain[at + 1];
    if (issuer !== undefined && !isIssuedBy(certificate, issuer)) {
      throw malformed(
        `certificate ${at + 2} of the chain did not issue certificate ${at + 1}: put the leaf first, then each one's issuer`,
      );
    }
  }
}

/** May an authority have such a key: RSA from 2048 bits, P-256, P-384 or P-521. */
export const isStrongAuthority = ({ publicKey }: Pick<Certificate, "publicKey">): boolean =>
  curveDigest(publicKey) !== undefined ||
  (publicKey.asymmetricKeyType === "rsa" && (publicKey.asymmetricKeyDetails?.modulusLength ?? 0) >= 2048);

/** What keeps a certificate from standing above others; undefined where nothing does. */
function authorityFault(certificate: Certificate, below: number): string | undefined {
  const { authority, pathLength, keyUsage, extendedKeyUsage } = certificate.extensions;
  if (!authority) return "is no certificate authority (basic constraints)";
  if (keyUsage?.keyCertSign === false) return "may not sign certificates (key usage)";
  if (pathLength !== undefined && below > pathLength) {
    return `allows ${pathLength} authorities below it, there are ${below} (path length)`;
  }
  if (extendedKeyUsage?.some((purpose) => purpose === codeSigning || purpose === anyPurpose) === false) {
    return "may not issue certificates for signing code (extended key usage)";
  }
  return isStrongAuthority(certificate)
    ? undefined
    : "has a weak or unknown key: RSA from 2048 bits, P-256, P-384 or P-521 is needed";
}

/**
 * @param path leaf first, anchor last
 * @returns what breaks a rule, in words; undefined where nothing does
 */
function pathFault(path: readonly Certificate[]): string | undefined {
  const [leaf] = path;
  const early = path.find(({ notBefore }) => leaf !== undefined && leaf.notBefore < notBefore);
  // The reference holds the whole chain against the moment at which the leaf began.
  if (early !== undefined)
    return `${early.subject.text} was not valid yet when the signer's certificate began`;
  // Certificates that name themselves as issuer do not count against a path length (RFC 5280, 4.2.1.9).
  let below = 0;
  for (const [at, certificate] of path.entries()) {
    const fault = at === 0 ? undefined : authorityFault(certificate, below);
    if (fault !== undefined) return `${certificate.subject.text} ${fault}`;
    if (at > 0 && certificate.subjectId !== certificate.issuerId) below += 1;
    const [critical] = certificate.extensions.unknownCritical;
    if (critical !== undefined)
      return `${certificate.subject.text} has the extension ${critical}, which is not understood`;
    // An anchor is trusted as it is: its signature under itself proves nothing.
    if (at < path.length - 1 && !acceptedAlgorithms.has(certificate.signatureAlgorithm)) {
      return `${certificate.subject.text} is signed with a weak or unknown algorithm (${certificate.signatureAlgorithm})`;
    }
  }
  return undefined;
}

interface Search {
  readonly chain: readonly Certificate[];
  readonly anchors: AnchorIndex;
  readonly paths: Map<string, ChainPath>;
  refusal: string | undefined;
  checks: number;
}

function finish(search: Search, path: readonly Certificate[]): void {
  const fault = pathFault(path);
  if (fault !== undefined) {
    search.refusal ??= fault;
    return;
  }
  const issuers = path.slice(1).map(({ fingerprint }) => fingerprint);
  const notBefore = Math.max(...path.map((certificate) => certificate.notBefore));
  const notAfter = Math.min(...path.map((certificate) => certificate.notAfter));
  const anchor = issuers.at(-1) ?? "";
  search.paths.set(issuers.join(" "), { anchor, issuers, validity: { notBefore, notAfter } });
}

/** @param next where in the bundle's chain the last certificate's issuer would stand; beyond its end for anchors. */
function climb(search: Search, path: readonly Certificate[], next: number): void {
  const current = path.at(-1);
  if (current === undefined || path.length >= maxLength) return;
  for (const { certificate, selfSigned } of search.anchors.get(current.issuerId) ?? []) {
    if (path.some(({ fingerprint }) => fingerprint === certificate.fingerprint)) continue;
    search.checks += 1;
    if (search.checks > maxChecks) return;
    if (!isIssuedBy(current, certificate)) continue;
    if (selfSigned) finish(search, [...path, certificate]);
    else climb(search, [...path, certificate], search.chain.length);
  }
  const issuer = search.chain[next];
  if (issuer !== undefined) climb(search, [...path, issuer], next + 1);
}

/**
 * Finds the ways from a leaf to self-signed anchors: over the bundle's own certificates, which are linked already,
 * and over anchors that are no roots, which only help. Roots come from `trust` alone; one that the bundle brings is
 * never an end. Names find candidates, signatures decide. Bounded: at most 100 signature checks, 10 certificates a way.
 */
export function findPaths(chain: readonly Certificate[], trust: TrustMaterial): ChainPaths {
  const [leaf] = chain;
  const search: Search = {
    chain,
    anchors: anchorsOf(trust),
    paths: new Map(),
    refusal: undefined,
    checks: 0,
  };
  if (leaf !== undefined) climb(search, [leaf], 1);
  return {
    paths: [...search.paths.values()],
    refusal: search.refusal ?? "its chain ends in no root that is trusted here",
  };
}

/**
 * May this certificate sign skills: digital signatures by key usage, code by extended key usage; each extension must
 * allow it where it stands, and one of them must stand (the reference asks for either).
 * @throws SignatureError UNSUPPORTED_FORMAT for a key of another kind, BAD_SIGNATURE for another usage
 */
export function assertMaySign(leaf: Certificate): void {
  if (curveDigest(leaf.publicKey) === undefined) {
    throw unsupported(`the key of ${leaf.subject.text} is not supported: P-256, P-384 and P-521 are`);
  }
  const { keyUsage, extendedKeyUsage } = leaf.extensions;
  const forbidden =
    keyUsage?.digitalSignature === false ||
    extendedKeyUsage?.includes(codeSigning) === false ||
    (keyUsage === undefined && extendedKeyUsage === undefined);
  if (forbidden) {
    throw new SignatureError(
      "BAD_SIGNATURE",
      `the certificate of ${leaf.subject.text} may not sign: it needs key usage digitalSignature or extended key usage codeSigning`,
    );
  }
}
