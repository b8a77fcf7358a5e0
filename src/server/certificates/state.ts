import { createPrivateKey, X509Certificate, type KeyObject } from "node:crypto";
import { isIP } from "node:net";
import { createSecureContext } from "node:tls";

/** A certificate with its private key, PEM both. */
export interface KeyedCertificate {
  readonly cert: string;
  readonly key: string;
}

/**
 * Everything that the replicas share. The bundle that callers trust is `issuing`, `next` and `retired` together,
 * so that an authority is trusted before its first leaf and until after its last.
 */
export interface CertificateState {
  /** The authority that issues leaves now. */
  readonly issuing: KeyedCertificate;
  /** Its successor, already in the bundle, not yet in use. */
  readonly next?: KeyedCertificate;
  /** Its predecessor, some of whose leaves may still be served. Its key is gone. */
  readonly retired?: string;
  readonly leaf: KeyedCertificate;
}

/** Names of the files in the store; `tls.*` and `ca.crt` as other tools expect them. */
const fileNames = {
  issuingCert: "ca.crt",
  issuingKey: "ca.key",
  nextCert: "ca-next.crt",
  nextKey: "ca-next.key",
  retired: "ca-retired.crt",
  leafCert: "tls.crt",
  leafKey: "tls.key",
} as const;

/** One PEM of ours is below 2 KiB; anything much longer is not ours and is not parsed. */
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
 * What the store holds, or undefined where it is incomplete or garbled: it is then made anew. Never throws.
 *
 * Taken is what was made here, each file one certificate or one key and nothing beside it, and handed on as it was
 * understood, not as it was written: what stands behind the first certificate of a file would otherwise be served, or
 * be trusted by every caller, unread.
 */
export function fromFiles(files: Readonly<Record<string, string>>): CertificateState | undefined {
  const issuing = readPair(files, fileNames.issuingCert, fileNames.issuingKey);
  const leaf = readPair(files, fileNames.leafCert, fileNames.leafKey);
  if (issuing === undefined || leaf === undefined || !readCertificate(issuing.cert)?.ca) return undefined;
  // A garbled successor or predecessor is left out; the plan makes another.
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
    // The last word is the server's own: what it would refuse ends the process at its start.
    createSecureContext(pair);
    return certificate.checkPrivateKey(privateKey) ? pair : undefined;
  } catch {
    return undefined;
  }
}

/** One block of PEM with nothing around it. */
const onePem = /^-----BEGIN ([A-Z ]+)-----\r?\n[A-Za-z0-9+/=\r\n]+-----END \1-----\s*$/;

/** The one certificate in a file; undefined where it holds anything else. */
const certificateOf = (text: string | undefined): X509Certificate | undefined =>
  text !== undefined && onePem.exec(text)?.[1] === "CERTIFICATE" ? readCertificate(text) : undefined;

/** The one key in a file, of the kind that the issuer makes (P-256); undefined where it holds anything else. */
function keyOf(text: string | undefined): KeyObject | undefined {
  if (text === undefined || !onePem.test(text)) return undefined;
  try {
    const key = createPrivateKey(text);
    return key.asymmetricKeyDetails?.namedCurve === "prime256v1" ? key : undefined;
  } catch {
    return undefined;
  }
}

/** The first certificate of a PEM, or undefined where there is none that can be read. */
export function readCertificate(pem: string): X509Certificate | undefined {
  try {
    return new X509Certificate(pem);
  } catch {
    return undefined;
  }
}

const withNewline = (pem: string): string => (pem.endsWith("\n") ? pem : `${pem}\n`);

/** The authorities that callers must trust, newest first. */
export const bundleOf = ({ issuing, next, retired }: CertificateState): string =>
  [next?.cert, issuing.cert, retired]
    .filter((pem) => pem !== undefined)
    .map(withNewline)
    .join("");

/** Is a leaf issued by this authority, and is it for all these DNS names and IP addresses. */
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
