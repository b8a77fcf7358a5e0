import { signingTime } from "../../evidence/freshness.ts";
import type { SignatureEvidence, Signer } from "../../signature/signature-evidence.ts";
import { covers, always, type Validity } from "../../signature/validity.ts";
import { timeText } from "../../text/time.ts";
import type { Policy } from "../policy.ts";
import { publishersBehind } from "./publishers.ts";

/** Fingerprints by which a signer is trusted: the keys of `Publisher.periods`. */
function pinsOf(signer: Signer): readonly string[] {
  if (signer.kind === "certificate") return signer.anchors;
  return signer.kind === "keyless" ? signer.roots : [signer.publicKey];
}

/** Trust periods of the entries through which the policy's publishers match this signer. */
function periodsOf(policy: Policy, signer: Signer): readonly Validity[] {
  return publishersBehind(policy, signer).flatMap((publisher) => {
    const periods = "periods" in publisher ? publisher.periods : undefined;
    return periods === undefined ? [always] : pinsOf(signer).flatMap((pin) => periods.get(pin) ?? []);
  });
}

const periodText = ({ notBefore, notAfter }: Validity): string =>
  [
    ...(notBefore === always.notBefore ? [] : [`from ${timeText(notBefore)}`]),
    ...(notAfter === always.notAfter ? [] : [`to ${timeText(notAfter)}`]),
  ].join(" ");

/** Remedy for a period that is yet to begin, where the time is that of the review: no new signature is needed. */
const remedyAhead =
  "wait until the trust root trusts the signer, or have the skill signed with a key or certificate that is valid now";

/**
 * Reason why a publisher's signature is outside every trust period of the entries that match its signer; undefined
 * if one of them is in force. The time is the signing time if a log or timestamp authority proves it, else the time
 * of the review. With the remedy, where it is not to have the skill signed anew.
 * @param now milliseconds since 1970
 */
export function outsideTrustPeriod(
  policy: Policy,
  signature: SignatureEvidence,
  now: number,
): { readonly why: string; readonly remedy?: string } | undefined {
  if (signature.outcome !== "signed" && signature.outcome !== "tampered") return undefined;
  const { signer } = signature;
  const periods = periodsOf(policy, signer);
  const signedAt = signingTime(signer);
  if (periods.some((period) => covers(period, signedAt ?? now))) return undefined;
  const spans = periods.map(periodText).join(" or ");
  const when = signedAt === undefined ? "now" : `at ${timeText(signedAt)}, when it was signed`;
  const isAhead = signedAt === undefined && periods.some(({ notBefore }) => now < notBefore);
  return {
    why: `the trust root trusts this signer ${spans} only, and not ${when}`,
    ...(isAhead ? { remedy: remedyAhead } : {}),
  };
}

/**
 * Until when one of the trust periods in force goes on that match a signer; undefined: without end.
 * @param now milliseconds since 1970
 */
export function lastTrusted(policy: Policy, signer: Signer, now: number): number | undefined {
  const ends = periodsOf(policy, signer).flatMap((period) => (covers(period, now) ? [period.notAfter] : []));
  const last = Math.max(...ends);
  return ends.length === 0 || last === always.notAfter ? undefined : last;
}
