import type { X509Certificate } from "node:crypto";

import { readCertificate } from "./state.ts";

/** Certificates of a bundle of many that are kept: an authority has one successor, not dozens. */
const most = 4;

/** The certificates of a PEM text, each by itself. */
export const certificatesIn = (bundle: string): readonly string[] =>
  bundle.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];

/** The certificates that can be read among those of a PEM text. */
const readAll = (pem: string): readonly X509Certificate[] =>
  certificatesIn(pem).flatMap((one) => readCertificate(one) ?? []);

/** The authority in a bundle that issued one of a chain's certificates; undefined where there is none. Both PEM. */
export function issuerIn(bundle: string, chain: string): X509Certificate | undefined {
  const served = readAll(chain);
  return readAll(bundle).find((authority) =>
    served.some((one) => one.checkIssued(authority) && one.verify(authority.publicKey)),
  );
}

/**
 * What callers should trust when somebody else issues our certificates: the authorities in our file, and those that
 * callers trust already, as long as they are valid, since other replicas may still serve by them, or serve by a newer
 * one already. In an order of its own, so that every replica comes to the same text.
 *
 * @param own absent: nothing is to be published
 * @param registered what callers trust now; may be anything
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
