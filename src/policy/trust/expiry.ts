import { listsInForce } from "../../signature/x509/crl-index.ts";
import { always } from "../../signature/validity.ts";
import type { TrustedCrl } from "../../signature/x509/x509-trust.ts";
import type { Policy } from "../policy.ts";
import { periodOf, type PeriodsByName, type Trusted } from "./period.ts";
import type { ResolvedTrustRoot } from "./trust-root.ts";

/** Expiry of a trusted entry, for metrics and status. */
export interface TrustExpiry {
  /** `trust-root/entry`, or `ClusterSkillPolicy/policy/publisher` and `ClusterSkillPolicy/policy/unsigned.until`. */
  readonly name: string;
  /** Last valid moment, milliseconds since 1970. */
  readonly notAfter: number;
  /**
   * `authority`, `key`: no signature by it counts afterwards. `crl`: the same for the authority that issued it;
   * CRLs are renewed every few days or weeks. `verifiable-after`: earlier signatures stay valid, because their time
   * is proved. `unsigned`: the policy tolerates unsigned skills no longer.
   */
  readonly kind: "authority" | "key" | "crl" | "verifiable-after" | "unsigned";
}

/** Expiry of certificates, of a policy's own or of a trust root, bounded by the entry's period. */
export const expiriesOfAnchors = (
  anchors: ResolvedTrustRoot["anchors"],
  periods: PeriodsByName = new Map(),
): readonly TrustExpiry[] =>
  anchors.map((anchor) => ({
    name: anchor.names[0] ?? "",
    notAfter: Math.min(anchor.certificate.validToDate.getTime(), periodOf(anchor, periods).notAfter),
    kind: "authority",
  }));

/** Expiry of the CRLs in force. */
export const expiriesOfLists = (crls: readonly TrustedCrl[]): readonly TrustExpiry[] =>
  listsInForce(crls).flatMap(({ names, crl }) =>
    names.map((name) => ({ name, notAfter: crl.validity.notAfter, kind: "crl" })),
  );

/**
 * Expiries of a trust root's entries, except CRLs: another trust root may hold a newer one. Keys expire only if
 * their entry says so.
 */
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

/** Prefix of the names of what a policy itself trusts or tolerates. */
export const policyPrefix = (policy: string): string => `ClusterSkillPolicy/${policy}/`;

/** When policies cease to tolerate unsigned skills. */
export const expiriesOfTolerance = (policies: readonly Policy[]): readonly TrustExpiry[] =>
  policies.flatMap(({ name, unsigned: { until } }) =>
    until === undefined
      ? []
      : [{ name: `${policyPrefix(name)}unsigned.until`, notAfter: until, kind: "unsigned" as const }],
  );
