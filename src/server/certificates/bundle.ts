import type { X509Certificate } from "node:crypto";

import { readCertificate } from "./state.ts";

/** Most certificates in a bundle: an authority has one successor, not dozens. */
const most = 4;

/** Certificates of a PEM text, one PEM each. */
export const certificatesIn = (bundle: string): readonly string[] =>
  bundle.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];

/** Readable certificates of a PEM text. */
const readAll = (pem: string): readonly X509Certificate[] =>
  certificatesIn(pem).flatMap((one) => readCertificate(one) ?? []);

/** The authority in a bundle that issued a certificate of the chain; undefined without one. Both PEM. */
export function issuerIn(bundle: string, chain: string): X509Certificate | undefined {
  const served = readAll(chain);
  return readAll(bundle).find((authority) =>
    served.some((one) => one.checkIssued(authority) && one.verify(authority.publicKey)),
  );
}

/**
 * CA bundle of the registration for certificates from files: the authorities in the file, and the registered ones
 * that are still valid, because other replicas may still serve by an older or already by a newer one. Sorted: every
 * replica computes the same text.
 *
 * @param own absent: nothing is to be published
 * @param registered the present CA bundle; may be anything
 * @param now milliseconds since 1970
 */
export function joinBundles(own: string | undefined, registered: string, now: number): string {
  if (own === undefined) return "";
  const ours = certificatesIn(own);
  const others = certificatesIn(registered).filter((pem) => {
    const certificate = readCertificate(pem);
    return !ours.includes(pem) && certificate?.ca === true && certificate.validToDate.getTime() > now;
  });
  return [...ours, ...others.slice(0, Math.max(0, most - ours.length))]
    .sort()
    .map((pem) => `${pem}\n`)
    .join("");
}
