import { listsInForce } from "../../signature/x509/crl-index.ts";
import { always } from "../../signature/validity.ts";
import type { TrustedCrl } from "../../signature/x509/x509-trust.ts";
import { periodOf, type PeriodsByName, type Trusted } from "./period.ts";
import type { ResolvedTrustRoot } from "./trust-root.ts";

/** When something that is trusted ends; for metrics and status. */
export interface TrustEnd {
  /** `trust-root/entry`, or `ClusterSkillPolicy/policy/publisher`. */
  readonly name: string;
  /** Last moment, milliseconds since 1970. */
  readonly notAfter: number;
  /**
   * `authority`, `key`: nothing signed by it counts any more. `crl`: the same of the authority whose revocation list it is,
   * which has to be renewed every few days or weeks. `kept`: what was signed before stays good, because its time is proved.
   */
  readonly kind: "authority" | "key" | "crl" | "kept";
}

/** The end of what a policy brings itself, or of a trust root's certificates: that of the certificates. */
export const endsOfAnchors = (
  anchors: ResolvedTrustRoot["anchors"],
  periods: PeriodsByName = new Map(),
): readonly TrustEnd[] =>
  anchors.map((anchor) => ({
    name: anchor.names[0] ?? "",
    notAfter: Math.min(anchor.certificate.validToDate.getTime(), periodOf(anchor, periods).notAfter),
    kind: "authority",
  }));

/** The ends of revocation lists that speak for an authority now. */
export const endsOfLists = (crls: readonly TrustedCrl[]): readonly TrustEnd[] =>
  listsInForce(crls).flatMap(({ names, crl }) =>
    names.map((name) => ({ name, notAfter: crl.validity.notAfter, kind: "crl" })),
  );

/** Every end in a trust root but those of revocation lists, which its neighbours' may have replaced. Keys have none unless their entry says one. */
export function endsOfRoot({
  anchors,
  keys,
  sigstore,
  registries,
  periods,
}: ResolvedTrustRoot): readonly TrustEnd[] {
  const bounded = (
    list: readonly Trusted[],
    spans: PeriodsByName,
    kind: "key" | "kept",
  ): readonly TrustEnd[] =>
    list.flatMap((one) => {
      const { notAfter } = periodOf(one, spans);
      return notAfter === always.notAfter ? [] : [{ name: one.names[0] ?? "", notAfter, kind }];
    });
  return [
    ...endsOfAnchors(anchors, periods.certificates),
    ...bounded([...keys.values()], periods.keys, "key"),
    ...bounded(sigstore, periods.sigstore, "kept"),
    ...[...registries.values()].flatMap((registry) =>
      registry.keys.flatMap(({ validity: { notAfter } }) =>
        notAfter === always.notAfter
          ? []
          : [{ name: registry.names[0] ?? "", notAfter, kind: "kept" as const }],
      ),
    ),
  ];
}
