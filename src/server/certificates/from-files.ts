import { createPrivateKey, X509Certificate } from "node:crypto";
import { createSecureContext } from "node:tls";

import { messageOf } from "../../text/message-of.ts";
import { certificatesIn, issuerIn } from "./bundle.ts";
import {
  createCertificateHolder,
  type CertificateSource,
  type ServingCertificate,
} from "./certificate-source.ts";
import { readText, watchFiles, type Watching } from "./files.ts";
import { readCertificate } from "./state.ts";

export interface CertificateFilesOptions extends Watching {
  readonly certFile: string;
  readonly keyFile: string;
  /** File with the certificate's authority; absent where somebody else publishes it. */
  readonly caFile?: string;
  /** True if callers trust these authorities (PEM). Absent: they are assumed to. */
  readonly published?: (caBundle: string) => boolean;
}

async function readPair(options: CertificateFilesOptions): Promise<ServingCertificate> {
  const { certFile, keyFile, caFile, signal } = options;
  const cert = await readText("--tls-cert-file", certFile, signal);
  const key = await readText("--tls-key-file", keyFile, signal);
  const ca = caFile === undefined ? undefined : await readText("--tls-ca-file", caFile, signal);
  try {
    const leaf = new X509Certificate(cert);
    if (!leaf.checkPrivateKey(createPrivateKey(key)))
      throw new Error("the key does not belong to the certificate");
    createSecureContext({ cert, key });
    const notAfter = leaf.validToDate.getTime();
    return { cert, key, notAfter, ...(ca === undefined ? {} : authorityOf(ca, cert, options)) };
  } catch (cause) {
    if (cause instanceof AuthorityError) throw cause;
    const files = `${JSON.stringify(certFile)} and ${JSON.stringify(keyFile)}`;
    throw new Error(`${files} are no certificate (leaf first) with its key, PEM: ${messageOf(cause)}`, {
      cause,
    });
  }
}

class AuthorityError extends Error {}

/** The bundle with the issuer of the chain. A bundle without it is refused: callers would reject every connection. */
function authorityOf(
  ca: string,
  chain: string,
  { caFile = "" }: CertificateFilesOptions,
): { readonly caBundle: string; readonly authorityNotAfter: number } {
  // One unreadable certificate makes the API server refuse the whole registration.
  if (!certificatesIn(ca).every((one) => readCertificate(one) !== undefined))
    throw new AuthorityError(
      `--tls-ca-file ${JSON.stringify(caFile)} holds a certificate that cannot be read: take it out`,
    );
  const issuer = issuerIn(ca, chain);
  if (issuer === undefined)
    throw new AuthorityError(
      `--tls-ca-file ${JSON.stringify(caFile)} holds no authority, PEM, that issued the certificate`,
    );
  return { caBundle: certificatesIn(ca).join("\n"), authorityNotAfter: issuer.validToDate.getTime() };
}

/** Remaining life of the present certificate, milliseconds, below which its successor is served without waiting. */
const lastCall = 60 * 60_000;

/**
 * Certificate to serve once the files hold `next`. Where callers do not trust its authority yet, that authority is
 * announced first and the present certificate stays.
 */
function follow(
  present: ServingCertificate,
  next: ServingCertificate,
  trusted: boolean,
  now: number,
): ServingCertificate {
  const { caBundle } = next;
  if (caBundle === undefined || trusted || now > present.notAfter - lastCall) return next;
  return { ...present, caBundle };
}

/**
 * Serves certificates that somebody else keeps in files, such as cert-manager in a mounted Secret. A pair that does not
 * match, as in the middle of a swap, is reported, and the present one stays. Replicas see a swap up to minutes apart:
 * a certificate from another authority is served only once callers trust that authority.
 *
 * @throws Error naming the files where the first pair cannot be used
 */
export async function startCertificateFiles(options: CertificateFilesOptions): Promise<CertificateSource> {
  const { clock, report, published = () => true } = options;
  const holder = createCertificateHolder(await readPair(options), report);
  // Trust must hold at two reads in a row: API servers apply a registration moments after it is visible here.
  let trustedBefore = false;
  watchFiles(async () => {
    const next = await readPair(options);
    const trusted = next.caBundle === undefined || published(next.caBundle);
    holder.set(follow(holder.current(), next, trusted && trustedBefore, clock.now()));
    trustedBefore = trusted;
  }, options);
  return holder;
}
