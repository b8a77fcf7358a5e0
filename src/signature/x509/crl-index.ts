import type { Certificate } from "./certificate.ts";
import { keyFingerprint } from "../key.ts";
import type { TrustedCrl, X509Trust } from "./x509-trust.ts";

/** The list that speaks for an authority, where there is one. */
export type CrlOf = (authority: Certificate) => TrustedCrl | undefined;

const indexes = new WeakMap<X509Trust, ReadonlyMap<string, TrustedCrl>>();

const keyOf = (issuerId: string, issuerKey: string): string => `${issuerKey} ${issuerId}`;

/** Of several lists of one authority the newest counts: it holds what the older ones do, but for what was taken back. */
function indexOf(crls: readonly TrustedCrl[]): ReadonlyMap<string, TrustedCrl> {
  const index = new Map<string, TrustedCrl>();
  for (const one of crls) {
    const key = keyOf(one.crl.issuerId, one.issuerKey);
    const other = index.get(key);
    if (other === undefined || other.crl.validity.notBefore < one.crl.validity.notBefore) index.set(key, one);
  }
  return index;
}

/** Of these lists those that speak for their authority: a newer one has taken the place of the others. */
export const listsInForce = (crls: readonly TrustedCrl[]): readonly TrustedCrl[] => [
  ...indexOf(crls).values(),
];

/** Lists of this trust material, by the authority's name and key: two certificates of one key share its list. */
export function crlsOf(trust: X509Trust): CrlOf {
  let index = indexes.get(trust);
  if (index === undefined) {
    index = indexOf(trust.crls ?? []);
    indexes.set(trust, index);
  }
  const lists = index;
  if (lists.size === 0) return () => undefined;
  return ({ subjectId, publicKey }) => lists.get(keyOf(subjectId, keyFingerprint(publicKey)));
}
