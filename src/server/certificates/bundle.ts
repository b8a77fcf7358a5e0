import { readCertificate } from "./state.ts";

/** Certificates of a bundle of many that are kept: an authority has one successor, not dozens. */
const most = 4;

/** The certificates of a PEM text, each by itself. */
export const certificatesIn = (bundle: string): readonly string[] =>
  bundle.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];

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
