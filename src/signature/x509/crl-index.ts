import type { Certificate } from "./certificate.ts";
import { keyFingerprint } from "../key.ts";
import type { TrustedCrl, X509Trust } from "./x509-trust.ts";
import { memoizeByObject } from "../../text/memoize-by-object.ts";

/** Looks up an authority's CRL; undefined if there is none. */
export type CrlOf = (authority: Certificate) => TrustedCrl | undefined;

const keyOf = (issuerId: string, issuerKey: string): string => `${issuerKey} ${issuerId}`;

/** Keeps the newest CRL of each authority: it repeats the entries of the older ones, except withdrawn ones. */
function indexOf(crls: readonly TrustedCrl[]): ReadonlyMap<string, TrustedCrl> {
  const index = new Map<string, TrustedCrl>();
  for (const one of crls) {
    const key = keyOf(one.crl.issuerId, one.issuerKey);
    const other = index.get(key);
    if (other === undefined || other.crl.validity.notBefore < one.crl.validity.notBefore) index.set(key, one);
  }
  return index;
}

/** Selects the newest CRL of each authority. */
export const listsInForce = (crls: readonly TrustedCrl[]): readonly TrustedCrl[] => [
  ...indexOf(crls).values(),
];

/** Indexes the CRLs of a trust material by the authority's name and key: two certificates of one key share its CRL. */
export const crlsOf = memoizeByObject(({ crls = [] }: X509Trust): CrlOf => {
  const index = indexOf(crls);
  if (index.size === 0) return () => undefined;
  return ({ subjectId, publicKey }) => index.get(keyOf(subjectId, keyFingerprint(publicKey)));
});
