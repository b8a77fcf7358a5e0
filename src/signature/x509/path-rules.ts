import type { Certificate } from "./certificate.ts";
import { curveDigest } from "../key.ts";

/** Object identifier of the extended key usage codeSigning. */
export const codeSigning = "1.3.6.1.5.5.7.3.3";
const anyPurpose = "2.5.29.37.0";

/** Accepted signature algorithms: ECDSA and RSA (PKCS #1 v1.5) with SHA-2. SHA-1 and MD5 are forgeable. */
const acceptedAlgorithms: ReadonlySet<string> = new Set([
  "1.2.840.10045.4.3.2",
  "1.2.840.10045.4.3.3",
  "1.2.840.10045.4.3.4",
  "1.2.840.113549.1.1.11",
  "1.2.840.113549.1.1.12",
  "1.2.840.113549.1.1.13",
]);

/** Whether an authority's key is strong: RSA from 2048 bits, P-256, P-384 or P-521. */
export const isStrongAuthority = ({ publicKey }: Pick<Certificate, "publicKey">): boolean =>
  curveDigest(publicKey) !== undefined ||
  (publicKey.asymmetricKeyType === "rsa" && (publicKey.asymmetricKeyDetails?.modulusLength ?? 0) >= 2048);

/**
 * Finds the rule that forbids a certificate to issue others; undefined if none does.
 * @param below authorities between it and the leaf
 */
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
 * Checks the rules of a certification path (RFC 5280, 6.1) that do not depend on the present time.
 * @param path leaf first, anchor last
 * @returns the violated rule, in words; undefined if there is none
 */
export function pathFault(path: readonly Certificate[]): string | undefined {
  const [leaf] = path;
  const early = path.find(({ notBefore }) => leaf !== undefined && leaf.notBefore < notBefore);
  // The reference verifies the whole chain at the leaf's notBefore.
  if (early !== undefined)
    return `${early.subject.text} was not valid yet when the signer's certificate began`;
  // Self-issued certificates do not count against a path length (RFC 5280, 4.2.1.9).
  let below = 0;
  for (const [at, certificate] of path.entries()) {
    const fault = at === 0 ? undefined : authorityFault(certificate, below);
    if (fault !== undefined) return `${certificate.subject.text} ${fault}`;
    if (at > 0 && certificate.subjectId !== certificate.issuerId) below += 1;
    const [critical] = certificate.extensions.unknownCritical;
    if (critical !== undefined)
      return `${certificate.subject.text} has the extension ${critical}, which is not understood`;
    // The anchor is trusted as it is: its self-signature proves nothing.
    if (at < path.length - 1 && !acceptedAlgorithms.has(certificate.signatureAlgorithm)) {
      return `${certificate.subject.text} is signed with a weak or unknown algorithm (${certificate.signatureAlgorithm})`;
    }
  }
  return undefined;
}
