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

/** Reason, and the remedy where having the skill signed anew would not be the first thing to do. */
interface NotNow {
  readonly why: string;
  readonly remedy?: string;
}

function certificatesNotNow(paths: readonly ChainPath[], now: number): NotNow {
  const why = `whose certificate chain is not valid now (${spanOf(paths)})`;
  const isAhead = paths.some(
    ({ certificates: { notBefore, notAfter } }) => now < notBefore && notBefore <= notAfter,
  );
  if (!isAhead) return { why };
  return {
    why,
    remedy: "wait until the certificate chain is valid, or have the skill signed with one that is valid now",
  };
}

/**
 * Describes why no path to an anchor is valid at `now`.
 * @param now milliseconds since 1970
 */
export function whyNotNow(paths: readonly ChainPath[], now: number): NotNow {
  const lists = paths
    .filter(({ certificates }) => covers(certificates, now))
    .flatMap((path) => path.lists.filter(({ crl }) => !covers(crl.validity, now)));
  const [list] = lists;
  if (list === undefined) return certificatesNotNow(paths, now);
  const { issuer, validity } = list.crl;
  const when =
    now < validity.notBefore
      ? `begins on ${dateOf(validity.notBefore)}`
      : `ended on ${dateOf(validity.notAfter)}`;
  return {
    why: `of whose chain it is not known whether it was revoked: the revocation list of ${issuer} (${list.names.join(", ")}) ${when}`,
    remedy: "give the trust root that authority's revocation list that is in force now",
  };
}
