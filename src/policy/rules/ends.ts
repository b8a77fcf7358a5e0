import { signingTime } from "../../evidence/freshness.ts";
import type { Evidence } from "../../evidence/evidence.ts";
import type { SignatureEvidence } from "../../signature/signature-evidence.ts";
import { day, endText } from "../../text/time.ts";
import type { AcceptanceEnd } from "../finding.ts";
import type { Policy } from "../policy.ts";
import { lastTrusted } from "./periods.ts";
import { isByPublisher } from "./publishers.ts";

/** How long before its end an accepted signature is told of: as long as trust roots warn. */
const notice = 30 * day;

interface End {
  readonly at: number;
  readonly why: string;
}

type Signed = Extract<SignatureEvidence, { readonly outcome: "signed" }>;

/** All dates by which the policy ceases to accept a signature that it accepts now. */
function endsOf(policy: Policy, signature: Signed, now: number): readonly End[] {
  const { signer, expires } = signature;
  const signedAt = signingTime(signer);
  const ends: End[] = [];
  if (expires !== undefined) ends.push({ at: expires, why: "its card is to be relied on no longer" });
  if (signedAt !== undefined && policy.freshness !== undefined) {
    const { maxSignatureAge, written } = policy.freshness;
    ends.push({ at: signedAt + maxSignatureAge, why: `the policy takes signatures of at most ${written}` });
  }
  if (signer.kind === "certificate" && signer.notAfter !== undefined)
    ends.push({ at: signer.notAfter, why: "the certificates of its signer end" });
  const trusted = signedAt === undefined ? lastTrusted(policy, signer, now) : undefined;
  if (trusted !== undefined) ends.push({ at: trusted, why: "the trust root trusts its signer no longer" });
  return ends;
}

/**
 * When the policy ceases to accept a skill that it accepts now, if that is soon: the last of its publishers' signatures
 * counts.
 * @param now milliseconds since 1970
 */
export function acceptanceEnd(
  policy: Policy,
  { signature, others = [] }: Evidence,
  now: number,
): AcceptanceEnd | undefined {
  const accepted = [signature, ...others].filter(
    (one): one is Signed => one.outcome === "signed" && isByPublisher(policy, one),
  );
  let last: End | undefined;
  for (const one of accepted) {
    const [first] = endsOf(policy, one, now).toSorted((left, right) => left.at - right.at);
    // One of them has no end.
    if (first === undefined) return undefined;
    if (last === undefined || first.at > last.at) last = first;
  }
  if (last === undefined || last.at <= now || last.at > now + notice) return undefined;
  const { at, why } = last;
  return { at, message: `its signature counts until ${endText(at, now)}: ${why}` };
}
