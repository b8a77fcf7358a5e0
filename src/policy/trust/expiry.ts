import { listsInForce } from "../../signature/x509/crl-index.ts";
import { always } from "../../signature/validity.ts";
import type { TrustedCrl } from "../../signature/x509/x509-trust.ts";
import { periodOf, type PeriodsByName, type Trusted } from "./period.ts";
import type { ResolvedTrustRoot } from "./trust-root.ts";

/** When something that is trusted ends; for metrics and status. */
export interface TrustExpiry {
  /** `trust-root/entry`, or `ClusterSkillPolicy/policy/publisher`. */
  readonly name: string;
  /** Last moment, milliseconds since 1970. */
  readonly notAfter: number;
  /**
   * `authority`, `key`: nothing signed by it counts any more. `crl`: the same of the authority whose revocation list it is,
   * which has to be renewed every few days or weeks. `verifiable-after`: what was signed before stays good, because its time is proved.
   */
  readonly kind: "authority" | "key" | "crl" | "verifiable-after";
}

/** The end of what a policy brings itself, or of a trust root's certificates: that of the certificates. */
export const expiriesOfAnchors = (
  anchors: ResolvedTrustRoot["anchors"],
  periods: PeriodsByName = new Map(),
): readonly TrustExpiry[] =>
  anchors.map((anchor) => ({
    name: anchor.names[0] ?? "",
    notAfter: Math.min(anchor.certificate.validToDate.getTime(), periodOf(anchor, periods).notAfter),
    kind: "authority",
  }));

/** The ends of revocation lists that speak for an authority now. */
export const expiriesOfLists = (crls: readonly TrustedCrl[]): readonly TrustExpiry[] =>
  listsInForce(crls).flatMap(({ names, crl }) =>
    names.map((name) => ({ name, notAfter: crl.validity.notAfter, kind: "crl" })),
  );

/** Every end in a trust root but those of revocation lists, which its neighbours' may have replaced. Keys have none unless their entry says one. */
export function expiriesOfRoot({
  anchors,
  keys,
  sigstore,
  registries,
  periods,
}: ResolvedTrustRoot): readonly TrustExpiry[] {
  const bounded = (
    list: readonly Trusted[],
    spans: PeriodsByName,
    kind: "key" | "verifiable-after",
  ): readonly TrustExpiry[] =>
    list.flatMap((one) => {
      const { notAfter } = periodOf(one, spans);
      return notAfter === always.notAfter ? [] : [{ name: one.names[0] ?? "", notAfter, kind }];
    });
  return [
    ...expiriesOfAnchors(anchors, periods.certificates),
    ...bounded([...keys.values()], periods.keys, "key"),
    ...bounded(sigstore, periods.sigstore, "verifiable-after"),
    ...[...registries.values()].flatMap((registry) =>
      registry.keys.flatMap(({ validity: { notAfter } }) =>
        notAfter === always.notAfter
          ? []
          : [{ name: registry.names[0] ?? "", notAfter, kind: "verifiable-after" as const }],
      ),
    ),
  ];
}
