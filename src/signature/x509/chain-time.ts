import type { ChainPath } from "./chain.ts";
import { covers } from "../validity.ts";

const dateOf = (time: number): string => new Date(time).toISOString().slice(0, 10);

function spanOf(paths: readonly ChainPath[]): string {
  const spans = paths.map(({ certificates }) => certificates);
  const [first] = spans.sort((one, other) => other.notAfter - one.notAfter);
  if (first === undefined || first.notBefore > first.notAfter)
    return "its certificates are never valid together";
  return `valid from ${dateOf(first.notBefore)} to ${dateOf(first.notAfter)}`;
}

/**
 * Describes why no path to an anchor is valid at `now`, with the remedy.
 * @param now milliseconds since 1970
 */
export function whyNotNow(paths: readonly ChainPath[], now: number): string {
  const lists = paths
    .filter(({ certificates }) => covers(certificates, now))
    .flatMap((path) => path.lists.filter(({ crl }) => !covers(crl.validity, now)));
  const [list] = lists;
  if (list === undefined)
    return `whose certificate chain is not valid now (${spanOf(paths)}): sign again with a valid one`;
  const { issuer, validity } = list.crl;
  const when =
    now < validity.notBefore
      ? `begins on ${dateOf(validity.notBefore)}`
      : `ended on ${dateOf(validity.notAfter)}`;
  return `of whose chain it is not known whether it was revoked: the revocation list of ${issuer} (${list.names.join(", ")}) ${when}; give the trust root the newest one`;
}
