import { createPrivateKey, X509Certificate, type KeyObject } from "node:crypto";
import { isIP } from "node:net";
import { createSecureContext } from "node:tls";

/** A certificate with its private key, both PEM. */
export interface KeyedCertificate {
  readonly cert: string;
  readonly key: string;
}

/**
 * Certificates that the replicas share. The CA bundle is `issuing`, `next` and `retired` together: an authority is
 * trusted before its first leaf and until after its last.
 */
export interface CertificateState {
  /** Authority that issues leaves now. */
  readonly issuing: KeyedCertificate;
  /** Its successor: in the bundle, not in use yet. */
  readonly next?: KeyedCertificate;
  /** Its predecessor, some of whose leaves may still be served; without its key. */
  readonly retired?: string;
  readonly leaf: KeyedCertificate;
}

/** File names in the store; other tools expect `tls.*` and `ca.crt`. */
const fileNames = {
  issuingCert: "ca.crt",
  issuingKey: "ca.key",
  nextCert: "ca-next.crt",
  nextKey: "ca-next.key",
  retired: "ca-retired.crt",
  leafCert: "tls.crt",
  leafKey: "tls.key",
} as const;

/** Characters of one file: a PEM of ours is below 2 KiB, and a longer one is not parsed. */
const maxPemLength = 16 * 1024;

export const toFiles = (state: CertificateState): Readonly<Record<string, string>> => ({
  [fileNames.issuingCert]: state.issuing.cert,
  [fileNames.issuingKey]: state.issuing.key,
  ...(state.next === undefined
    ? {}
    : { [fileNames.nextCert]: state.next.cert, [fileNames.nextKey]: state.next.key }),
  ...(state.retired === undefined ? {} : { [fileNames.retired]: state.retired }),
  [fileNames.leafCert]: state.leaf.cert,
  [fileNames.leafKey]: state.leaf.key,
});

/**
 * Reads the stored files; undefined where they are incomplete or garbled: they are then created anew. Never throws.
 *
 * Each file must hold one certificate or one key and nothing else, and is serialised anew after parsing: text behind
 * the first certificate would be served, or trusted by every caller, unread.
 */
export function fromFiles(files: Readonly<Record<string, string>>): CertificateState | undefined {
  const issuing = readPair(files, fileNames.issuingCert, fileNames.issuingKey);
  const leaf = readPair(files, fileNames.leafCert, fileNames.leafKey);
  if (issuing === undefined || leaf === undefined || !readCertificate(issuing.cert)?.ca) return undefined;
  // A garbled successor or predecessor is dropped; the plan creates another.
  const next = readPair(files, fileNames.nextCert, fileNames.nextKey);
  const retired = certificateOf(textOf(files, fileNames.retired));
  return {
    issuing,
    leaf,
    ...(next !== undefined && readCertificate(next.cert)?.ca ? { next } : {}),
    ...(retired?.ca ? { retired: retired.toString() } : {}),
  };
}

function textOf(files: Readonly<Record<string, string>>, name: string): string | undefined {
  const text: unknown = Object.hasOwn(files, name) ? files[name] : undefined;
  return typeof text === "string" && text.length <= maxPemLength ? text : undefined;
}

function readPair(
  files: Readonly<Record<string, string>>,
  certName: string,
  keyName: string,
): KeyedCertificate | undefined {
  const certificate = certificateOf(textOf(files, certName));
  const privateKey = keyOf(textOf(files, keyName));
  if (certificate === undefined || privateKey === undefined) return undefined;
  const pair = {
    cert: certificate.toString(),
    key: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
  };
  try {
    // OpenSSL has the last word: a pair that it refuses would end the process at its start.
    createSecureContext(pair);
    return certificate.checkPrivateKey(privateKey) ? pair : undefined;
  } catch {
    return undefined;
  }
}

/** One PEM block with nothing around it. */
const onePem = /^-----BEGIN ([A-Z ]+)-----\r?\n[A-Za-z0-9+/=\r\n]+-----END \1-----\s*$/;

/** The single certificate of a file; undefined where it holds anything else. */
const certificateOf = (text: string | undefined): X509Certificate | undefined =>
  text !== undefined && onePem.exec(text)?.[1] === "CERTIFICATE" ? readCertificate(text) : undefined;

/** The single P-256 key of a file; undefined where it holds anything else. */
function keyOf(text: string | undefined): KeyObject | undefined {
  if (text === undefined || !onePem.test(text)) return undefined;
  try {
    const key = createPrivateKey(text);
    return key.asymmetricKeyDetails?.namedCurve === "prime256v1" ? key : undefined;
  } catch {
    return undefined;
  }
}

/** The first certificate of a PEM text; undefined where it cannot be read. */
export function readCertificate(pem: string): X509Certificate | undefined {
  try {
    return new X509Certificate(pem);
  } catch {
    return undefined;
  }
}

const withNewline = (pem: string): string => (pem.endsWith("\n") ? pem : `${pem}\n`);

/** The CA bundle, newest authority first. */
export const bundleOf = ({ issuing, next, retired }: CertificateState): string =>
  [next?.cert, issuing.cert, retired]
    .filter((pem) => pem !== undefined)
    .map(withNewline)
    .join("");

/** True if the authority issued the leaf, and the leaf covers all these DNS names and IP addresses. */
export function leafFits(leaf: string, authority: string, names: readonly string[]): boolean {
  const certificate = readCertificate(leaf);
  const issuer = readCertificate(authority);
  if (certificate === undefined || issuer === undefined) return false;
  if (!certificate.checkIssued(issuer) || !certificate.verify(issuer.publicKey)) return false;
  return names.every((name) =>
    isIP(name) === 0
      ? certificate.checkHost(name, { subject: "never" }) !== undefined
      : certificate.checkIP(name) !== undefined,
  );
}
