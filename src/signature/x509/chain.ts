import type { X509Certificate } from "node:crypto";
import { curveDigest, keyFingerprint } from "../key.ts";
import { parseCertificate, type Certificate } from "./certificate.ts";
import { SignatureError, malformed, unsupported } from "../signature-error.ts";
import { codeSigning, pathFault } from "./path-rules.ts";
import { malleableFingerprints, type MalleableFingerprint } from "./malleable-fingerprint.ts";
import { crlsOf, type CrlOf } from "./crl-index.ts";
import type { TrustAnchor, TrustedCrl, X509Trust } from "./x509-trust.ts";
import { intersection, always, type Validity } from "../validity.ts";

/** One way from a leaf to a trust anchor that keeps all rules but those of time. */
export interface ChainPath {
  /** Fingerprint of the anchor. */
  readonly anchor: string;
  /** Fingerprints of the certificates above the leaf, the anchor last. */
  readonly issuers: readonly string[];
  /** Fingerprints of their keys: an authority may have several certificates for one. */
  readonly issuerKeys: readonly string[];
  /** What else the leaf and the certificates above it may be called. */
  readonly malleable: readonly MalleableFingerprint[];
  /** When every certificate on the way, the anchor included, is valid. Never: `notBefore` after `notAfter`. */
  readonly certificates: Validity;
  /** Revocation lists that speak for its certificates. */
  readonly lists: readonly TrustedCrl[];
  /** When all of these hold. */
  readonly validity: Validity;
}

/** All that is found of ways; `refusal` says why one was not counted, or why there is none. */
export interface ChainPaths {
  readonly paths: readonly ChainPath[];
  readonly refusal: string;
  /** Is there none because a certificate was revoked. */
  readonly revoked: boolean;
}

/** Signatures that one search may check: a real one needs three. */
const maxChecks = 100;
const maxLength = 10;

const isSignedBy = (certificate: Certificate, issuer: Certificate): boolean => {
  try {
    return certificate.x509.verify(issuer.publicKey);
  } catch {
    return false;
  }
};

/** Answers by the issuer's fingerprint: they follow from the bytes of both. A bundle often brings the root that is trusted. */
const answers = new WeakMap<Certificate, Map<string, boolean>>();

function isIssuedBy(certificate: Certificate, issuer: Certificate): boolean {
  if (certificate.issuerId !== issuer.subjectId) return false;
  const known = answers.get(certificate) ?? new Map<string, boolean>();
  answers.set(certificate, known);
  const answer = known.get(issuer.fingerprint) ?? isSignedBy(certificate, issuer);
  known.set(issuer.fingerprint, answer);
  return answer;
}

/** Anchors of one trust material, parsed once; by the name that they issue under. */
type AnchorIndex = ReadonlyMap<string, readonly Anchor[]>;

interface Anchor {
  readonly certificate: Certificate;
  readonly selfSigned: boolean;
}

const indexes = new WeakMap<X509Trust, AnchorIndex>();

/** What was read of anchors; undefined: it cannot be. Trust changes more often than each of its certificates does. */
const parsed = new WeakMap<X509Certificate, Anchor | undefined>();

function anchorOf({ certificate: x509, names }: TrustAnchor): Anchor | undefined {
  if (parsed.has(x509)) return parsed.get(x509);
  let anchor: Anchor | undefined;
  try {
    const certificate = parseCertificate(x509, names.join(", "));
    anchor = { certificate, selfSigned: isIssuedBy(certificate, certificate) };
  } catch (cause) {
    // Trusted by nobody then; the adapter that read it tells its operator.
    if (!(cause instanceof SignatureError)) throw cause;
  }
  parsed.set(x509, anchor);
  return anchor;
}

function anchorsOf(trust: X509Trust): AnchorIndex {
  const known = indexes.get(trust);
  if (known !== undefined) return known;
  const index = new Map<string, Anchor[]>();
  for (const trusted of trust.anchors) {
    const anchor = anchorOf(trusted);
    if (anchor === undefined) continue;
    const { subjectId } = anchor.certificate;
    index.set(subjectId, [...(index.get(subjectId) ?? []), anchor]);
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

/** What the issuer's own list says of a certificate, in words; undefined where it is not revoked. */
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
  // The anchor is trusted as it is: no list of anybody speaks for it.
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
