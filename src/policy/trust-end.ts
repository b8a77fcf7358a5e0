import { always } from "../signature/signature-evidence.ts";
import { periodOf, type PeriodsByName, type Trusted } from "./trust-period.ts";
import type { ResolvedTrustRoot } from "./trust.ts";

/** When something that is trusted ends; for metrics and status. */
export interface TrustEnd {
  /** `trust-root/entry`, or `ClusterSkillPolicy/policy/publisher`. */
  readonly name: string;
  /** Last moment, milliseconds since 1970. */
  readonly notAfter: number;
  /**
   * `trust`: nothing signed by it counts any more. `kept`: what was signed before stays good, because its time is proved.
   * `list`: an authority's revocation list has to be renewed, as it is every few days or weeks.
   */
  readonly kind: "trust" | "kept" | "list";
}

/** The end of what a policy brings itself, or of a trust root's certificates: that of the certificates. */
export const endsOfAnchors = (
  anchors: ResolvedTrustRoot["anchors"],
  periods: PeriodsByName = new Map(),
): readonly TrustEnd[] =>
  anchors.map((anchor) => ({
    name: anchor.names[0] ?? "",
    notAfter: Math.min(anchor.certificate.validToDate.getTime(), periodOf(anchor, periods).notAfter),
    kind: "trust",
  }));

/** Every end in a trust root. Keys have none unless their entry says one. */
export function endsOfRoot({
  anchors,
  crls,
  keys,
  sigstore,
  registries,
  periods,
}: ResolvedTrustRoot): readonly TrustEnd[] {
  const bounded = (
    list: readonly Trusted[],
    spans: PeriodsByName,
    kind: "trust" | "kept",
  ): readonly TrustEnd[] =>
    list.flatMap((one) => {
      const { notAfter } = periodOf(one, spans);
      return notAfter === always.notAfter ? [] : [{ name: one.names[0] ?? "", notAfter, kind }];
    });
  return [
    ...endsOfAnchors(anchors, periods.certificates),
    ...bounded([...keys.values()], periods.keys, "trust"),
    ...bounded(sigstore, periods.sigstore, "kept"),
    ...[...registries.values()].flatMap((registry) =>
      registry.keys.flatMap(({ validity: { notAfter } }) =>
        notAfter === always.notAfter
          ? []
          : [{ name: registry.names[0] ?? "", notAfter, kind: "kept" as const }],
      ),
    ),
    ...crls.map(({ names, crl }) => ({
      name: names[0] ?? "",
      notAfter: crl.validity.notAfter,
      kind: "list" as const,
    })),
  ];
}
