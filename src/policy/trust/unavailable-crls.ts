import type { KubernetesObject } from "../../kubernetes/object.ts";
import { isFields } from "../../text/fields.ts";
import { readAnchors } from "./pem.ts";
import { PolicyError } from "../policy-error.ts";
import type { Policy } from "../policy.ts";
import { nameOf } from "../resource/schema/name.ts";
import type { TrustRoots } from "./trust-root.ts";

/** Authorities whose revocation lists stand in a trust root that cannot be used: by fingerprint, that trust root's name. */
export type UnavailableCrls = ReadonlyMap<string, string>;

function fingerprintsIn(entry: unknown): readonly string[] {
  const pem = isFields(entry) ? entry["pem"] : undefined;
  if (typeof pem !== "string") return [];
  try {
    return readAnchors(pem, "", "pem").map(({ fingerprint }) => fingerprint);
  } catch (cause) {
    // What cannot be read here is no authority that can be read elsewhere.
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
 * What trust roots that cannot be used leave open.
 * @param objects every SkillTrustRoot
 */
export const unavailableCrlsOf = (objects: readonly KubernetesObject[], roots: TrustRoots): UnavailableCrls =>
  new Map(objects.filter((object) => roots.get(nameOf(object) ?? "") === "unusable").flatMap(authoritiesIn));

/**
 * A list counts wherever its authority is trusted, by whichever trust root or PEM. One that cannot be read is never "no
 * list": a policy that trusts that authority cannot know who was revoked.
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
