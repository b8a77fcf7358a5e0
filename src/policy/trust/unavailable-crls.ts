import type { KubernetesObject } from "../../kubernetes/object.ts";
import { isFields } from "../../text/fields.ts";
import { readAnchors } from "./pem.ts";
import { PolicyError } from "../policy-error.ts";
import type { Policy } from "../policy.ts";
import { nameOf } from "../resource/schema/name.ts";
import type { TrustRoots } from "./trust-root.ts";

/** Authorities whose CRLs are in an unusable trust root: its name by the authority's fingerprint. */
export type UnavailableCrls = ReadonlyMap<string, string>;

function fingerprintsIn(entry: unknown): readonly string[] {
  const pem = isFields(entry) ? entry["pem"] : undefined;
  if (typeof pem !== "string") return [];
  try {
    return readAnchors(pem, "", "pem").map(({ fingerprint }) => fingerprint);
  } catch (cause) {
    // An authority that is unreadable here cannot be trusted elsewhere either.
    if (cause instanceof PolicyError) return [];
    throw cause;
  }
}

function authoritiesIn(object: KubernetesObject): readonly (readonly [fingerprint: string, root: string])[] {
  const spec: unknown = "spec" in object ? object["spec"] : undefined;
  const { certificates, crls } = isFields(spec) ? spec : {};
  if (!Array.isArray(crls) || crls.length === 0 || !Array.isArray(certificates)) return [];
  const name = nameOf(object) ?? "";
  return certificates.flatMap(fingerprintsIn).map((fingerprint) => [fingerprint, name] as const);
}

/**
 * Authorities whose CRLs are unknown because their trust root is unusable.
 * @param objects every SkillTrustRoot
 */
export const unavailableCrlsOf = (objects: readonly KubernetesObject[], roots: TrustRoots): UnavailableCrls =>
  new Map(objects.filter((object) => roots.get(nameOf(object) ?? "") === "unusable").flatMap(authoritiesIn));

/**
 * Refuses a policy that trusts an authority whose CRL cannot be read: revoked signers would be unknown. A CRL
 * counts wherever its authority is trusted, by any trust root or PEM.
 * @throws PolicyError RevocationListMissing
 */
export function assertCrls({ publishers }: Policy, unavailableCrls: UnavailableCrls): void {
  for (const publisher of publishers) {
    const anchors = publisher.kind === "certificate" ? publisher.anchors : [];
    const [root] = anchors.flatMap((anchor) => unavailableCrls.get(anchor) ?? []);
    if (root === undefined) continue;
    throw new PolicyError(
      "RevocationListMissing",
      `the SkillTrustRoot ${root} holds revocation lists of an authority that the publisher ${publisher.name} trusts, and cannot be used, so that nobody knows who was revoked; see its status`,
    );
  }
}
