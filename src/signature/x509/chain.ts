import type { X509Certificate } from "node:crypto";
import { curveDigest, keyFingerprint } from "../key.ts";
import { parseCertificate, type Certificate } from "./certificate.ts";
import { SignatureError, malformed, unsupported } from "../signature-error.ts";
import { codeSigning, pathFault } from "./path-rules.ts";
import { malleableFingerprints, type MalleableFingerprint } from "./malleable-fingerprint.ts";
import { crlsOf, type CrlOf } from "./crl-index.ts";
import type { TrustedCrl, X509Trust } from "./x509-trust.ts";
import { intersection, always, type Validity } from "../validity.ts";
import { memoizeByObject } from "../../text/memoize-by-object.ts";

/** A path from a leaf to a trust anchor that satisfies all rules but those of time. */
export interface ChainPath {
  /** Fingerprint of the anchor. */
  readonly anchor: string;
  /** Fingerprints of the certificates above the leaf, the anchor last. */
  readonly issuers: readonly string[];
  /** Fingerprints of their keys: one key of an authority may have several certificates. */
  readonly issuerKeys: readonly string[];
  /** Malleable fingerprints of the leaf and the certificates above it. */
  readonly malleable: readonly MalleableFingerprint[];
  /** Time in which every certificate of the path, anchor included, is valid. Never: `notBefore` after `notAfter`. */
  readonly certificates: Validity;
  /** CRLs that cover its certificates. */
  readonly lists: readonly TrustedCrl[];
  /** Time in which the certificates and all CRLs are valid. */
  readonly validity: Validity;
}

/** All paths found. `refusal` says why a path was not counted, or why there is none. */
export interface ChainPaths {
  readonly paths: readonly ChainPath[];
  readonly refusal: string;
  /** Whether revocation is the reason that there is no path. */
  readonly revoked: boolean;
}

/** Limit of signature checks of one search: a real one needs three. */
const maxChecks = 100;
const maxLength = 10;

const isSignedBy = (certificate: Certificate, issuer: Certificate): boolean => {
  try {
    return certificate.x509.verify(issuer.publicKey);
  } catch {
    return false;
  }
};

/**
 * Results by the issuer's fingerprint, for they follow from the bytes of both. Bundles often include the trusted root.
 */
const answers = new WeakMap<Certificate, Map<string, boolean>>();

function isIssuedBy(certificate: Certificate, issuer: Certificate): boolean {
  if (certificate.issuerId !== issuer.subjectId) return false;
  const known = answers.get(certificate) ?? new Map<string, boolean>();
  answers.set(certificate, known);
  const answer = known.get(issuer.fingerprint) ?? isSignedBy(certificate, issuer);
  known.set(issuer.fingerprint, answer);
  return answer;
}

/** Anchors of one trust material, parsed once; by subject. */
type AnchorIndex = ReadonlyMap<string, readonly Anchor[]>;

interface Anchor {
  readonly certificate: Certificate;
  readonly selfSigned: boolean;
}

/**
 * Parsed anchors; undefined if unreadable. Kept longer than the trust material, which changes more often than each of
 * its certificates.
 */
const anchorOf = memoizeByObject((x509: X509Certificate): Anchor | undefined => {
  try {
    const certificate = parseCertificate(x509, "the anchor");
    return { certificate, selfSigned: isIssuedBy(certificate, certificate) };
  } catch (cause) {
    // An unreadable anchor is not trusted; the adapter that read it reports it.
    if (cause instanceof SignatureError) return undefined;
    throw cause;
  }
});

const anchorsOf = memoizeByObject((trust: X509Trust): AnchorIndex => {
  const index = new Map<string, Anchor[]>();
  for (const trusted of trust.anchors) {
    const anchor = anchorOf(trusted.certificate);
    if (anchor === undefined) continue;
    const { subjectId } = anchor.certificate;
    index.set(subjectId, [...(index.get(subjectId) ?? []), anchor]);
  }
  return index;
});

/**
 * Asserts that each certificate of a bundle's chain issued the one before it, which the reference does not require.
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

interface Search {
  readonly chain: readonly Certificate[];
  readonly anchors: AnchorIndex;
  readonly crlOf: CrlOf;
  readonly paths: Map<string, ChainPath>;
  refusal: string | undefined;
  revocation: string | undefined;
  checks: number;
}

const dateOf = (time: number): string => new Date(time).toISOString().slice(0, 10);

/** Describes the revocation of a certificate by its issuer's CRL; undefined if it is not revoked. */
function revocationOf(
  { serialNumber, subject }: Certificate,
  { crl, names }: TrustedCrl,
): string | undefined {
  const time = crl.revoked.get(serialNumber);
  return time === undefined
    ? undefined
    : `${subject.text} was revoked by its issuer on ${dateOf(time)} (revocation list ${names.join(", ")})`;
}

function finish(search: Search, path: readonly Certificate[]): void {
  const fault = pathFault(path);
  if (fault !== undefined) {
    search.refusal ??= fault;
    return;
  }
  const lists: TrustedCrl[] = [];
  // The anchor is trusted as it is: no CRL covers it.
  for (const [at, authority] of path.slice(1).entries()) {
    const list = search.crlOf(authority);
    const certificate = path[at];
    if (list === undefined || certificate === undefined) continue;
    search.revocation ??= revocationOf(certificate, list);
    if (list.crl.revoked.has(certificate.serialNumber)) return;
    lists.push(list);
  }
  const issuers = path.slice(1).map(({ fingerprint }) => fingerprint);
  const certificates = path.reduce<Validity>(intersection, always);
  const validity = lists.reduce((span, { crl }) => intersection(span, crl.validity), certificates);
  const anchor = issuers.at(-1) ?? "";
  const malleable = path.flatMap(({ x509, fingerprint }) => malleableFingerprints(x509.raw, fingerprint));
  const issuerKeys = path.slice(1).map(({ publicKey }) => keyFingerprint(publicKey));
  search.paths.set(issuers.join(" "), {
    anchor,
    issuers,
    issuerKeys,
    malleable,
    certificates,
    lists,
    validity,
  });
}

/**
 * @param next index in the bundle's chain of the last certificate's issuer; the chain's length once the path has left
 *   it for an anchor
 */
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
 * Finds the paths from a leaf to self-signed anchors: over the bundle's own certificates, which are linked already,
 * and over anchors that are no roots, as intermediates. Roots come from `trust` alone: one in the bundle never ends a
 * path. Names select candidates, signatures decide. At most 100 signature checks, and 10 certificates a path.
 */
export function findPaths(chain: readonly Certificate[], trust: X509Trust): ChainPaths {
  const [leaf] = chain;
  const search: Search = {
    chain,
    anchors: anchorsOf(trust),
    crlOf: crlsOf(trust),
    paths: new Map(),
    refusal: undefined,
    revocation: undefined,
    checks: 0,
  };
  if (leaf !== undefined) climb(search, [leaf], 1);
  return {
    paths: [...search.paths.values()],
    refusal: search.revocation ?? search.refusal ?? "its chain ends in no root that is trusted here",
    revoked: search.paths.size === 0 && search.revocation !== undefined,
  };
}

/**
 * Asserts that a certificate may sign skills: key usage digitalSignature, extended key usage codeSigning. Each
 * extension must allow it if present, and one must be present (the reference requires either).
 * @throws SignatureError UNSUPPORTED_FORMAT for an unsupported key, BAD_SIGNATURE for another usage
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
