import { always } from "../signature/signature-evidence.ts";
import { periodOf, type PeriodsByName, type Trusted } from "./trust-period.ts";
import type { ResolvedTrustRoot } from "./trust.ts";

/** When something that is trusted ends; for metrics and status. */
export interface TrustEnd {
  /** `trust-root/entry`, or `ClusterSkillPolicy/policy/publisher`. */
  readonly name: string;
  /** Last moment, milliseconds since 1970. */
  readonly notAfter: number;
  /** Does what was signed before stay good, because its time is proved: its end is no alarm. */
  readonly keeps: boolean;
}

/** The end of what a policy brings itself, or of a trust root's certificates: that of the certificates. */
export const endsOfAnchors = (
  anchors: ResolvedTrustRoot["anchors"],
  periods: PeriodsByName = new Map(),
): readonly TrustEnd[] =>
  anchors.map((anchor) => ({
    name: anchor.names[0] ?? "",
    notAfter: Math.min(anchor.certificate.validToDate.getTime(), periodOf(anchor, periods).notAfter),
    keeps: false,
  }));

/** Every end in a trust root. Keys have none unless their entry says one. */
export function endsOfRoot({ anchors, keys, sigstore, periods }: ResolvedTrustRoot): readonly TrustEnd[] {
  const bounded = (list: readonly Trusted[], spans: PeriodsByName, keeps: boolean): readonly TrustEnd[] =>
    list.flatMap((one) => {
      const { notAfter } = periodOf(one, spans);
      return notAfter === always.notAfter ? [] : [{ name: one.names[0] ?? "", notAfter, keeps }];
    });
  return [
    ...endsOfAnchors(anchors, periods.certificates),
    ...bounded([...keys.values()], periods.keys, false),
    ...bounded(sigstore, periods.sigstore, true),
  ];
}
