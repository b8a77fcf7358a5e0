import type { X509Certificate } from "node:crypto";

import { certificatesIn } from "./bundle.ts";
import { readText, watchFiles, type Watching } from "./files.ts";
import { readCertificate } from "./state.ts";

/** Authorities of client certificates. */
export interface Authorities {
  readonly pem: string;
  readonly certificates: readonly X509Certificate[];
}

/** The present authorities of client certificates, and the clients that may ask for reviews. */
export interface ClientAuthority {
  current(): Authorities;
  /** Names of which a client's certificate must have one. An authority may sign for many: it alone says too little. */
  readonly names: readonly string[];
  /** @returns the function that ends the subscription */
  onChange(listener: (authorities: Authorities) => void): () => void;
}

export interface ClientAuthorityOptions extends Watching {
  readonly caFile: string;
  readonly names: readonly string[];
}

async function readAuthorities({ caFile, signal }: ClientAuthorityOptions): Promise<Authorities> {
  const text = await readText("--client-ca-file", caFile, signal);
  const pems = certificatesIn(text);
  const certificates = pems.map(readCertificate).filter((one) => one?.ca === true) as X509Certificate[];
  if (pems.length === 0 || certificates.length < pems.length)
    throw new Error(
      `--client-ca-file ${JSON.stringify(caFile)} must hold certificates of authorities, PEM, and nothing that is none: ` +
        `${certificates.length} of ${pems.length} in it are`,
    );
  return { pem: pems.join("\n"), certificates };
}

/**
 * Reads the authorities of client certificates from a file, and again when it changes. One that cannot be used is
 * reported, and the present ones stay.
 *
 * @throws Error naming the file where it cannot be used at first
 */
export async function startClientAuthority(options: ClientAuthorityOptions): Promise<ClientAuthority> {
  let present = await readAuthorities(options);
  const listeners = new Set<(authorities: Authorities) => void>();
  watchFiles(async () => {
    const next = await readAuthorities(options);
    if (next.pem === present.pem) return;
    present = next;
    listeners.forEach((listener) => listener(next));
  }, options);
  return {
    current: () => present,
    names: options.names,
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
