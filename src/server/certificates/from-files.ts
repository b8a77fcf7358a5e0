import { createPrivateKey, X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import { createSecureContext } from "node:tls";

import {
  createCertificateHolder,
  type CertificateSource,
  type ServingCertificate,
} from "./certificate-source.ts";
import type { Clock } from "./self-issued.ts";

export interface CertificateFilesOptions {
  readonly certFile: string;
  readonly keyFile: string;
  readonly clock: Clock;
  /** Ends the watching. */
  readonly signal: AbortSignal;
  readonly report: (problem: unknown) => void;
}

/** Far below the months that certificates live, and two small reads are nothing. */
const interval = 10_000;

/** A certificate chain and its key; nothing real is longer. */
const maxLength = 1024 * 1024;

async function readText(flag: string, path: string, signal: AbortSignal): Promise<string> {
  try {
    const text = await readFile(path, { encoding: "utf8", signal });
    if (text.length > maxLength) throw new Error("it is longer than 1 MiB");
    return text;
  } catch (cause) {
    const detail = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`cannot read ${flag} ${JSON.stringify(path)}: ${detail}`, { cause });
  }
}

async function readPair(options: CertificateFilesOptions): Promise<ServingCertificate> {
  const { certFile, keyFile, signal } = options;
  const cert = await readText("--tls-cert-file", certFile, signal);
  const key = await readText("--tls-key-file", keyFile, signal);
  try {
    const leaf = new X509Certificate(cert);
    if (!leaf.checkPrivateKey(createPrivateKey(key)))
      throw new Error("the key does not belong to the certificate");
    createSecureContext({ cert, key });
    return { cert, key, notAfter: leaf.validToDate.getTime() };
  } catch (cause) {
    const detail = cause instanceof Error ? cause.message : String(cause);
    const files = `${JSON.stringify(certFile)} and ${JSON.stringify(keyFile)}`;
    throw new Error(`${files} are no certificate (leaf first) with its key, PEM: ${detail}`, { cause });
  }
}

/**
 * Certificates that someone else keeps in files, such as cert-manager in a mounted Secret. They are read again
 * every ten seconds rather than watched: the kubelet exchanges a link above them, which file watchers miss. A pair
 * that does not fit together, as in the middle of an exchange, is reported and the present one kept.
 *
 * @throws Error naming the files where the first pair cannot be used
 */
export async function startCertificateFiles(options: CertificateFilesOptions): Promise<CertificateSource> {
  const { clock, signal, report } = options;
  const holder = createCertificateHolder(await readPair(options), report);
  const watch = async (): Promise<never> => {
    let reported = "";
    for (;;) {
      await clock.sleep(interval, signal);
      try {
        holder.set(await readPair(options));
        reported = "";
      } catch (error) {
        signal.throwIfAborted();
        // Once for each thing that is wrong, not every ten seconds.
        const message = String(error);
        if (message !== reported) report(error);
        reported = message;
      }
    }
  };
  void watch().catch((error: unknown) => {
    if (!signal.aborted) report(error);
  });
  return holder;
}
