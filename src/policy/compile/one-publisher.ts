import { compilePolicy } from "./policy.ts";
import type { PolicySnapshot } from "../policy.ts";
import type { ClusterSkillPolicySpec } from "../resource/cluster-skill-policy.ts";
import type { PublisherSpec } from "../resource/publisher.ts";
import type { SkillTrustRootSpec } from "../resource/skill-trust-root.ts";
import { noRevocations, type RevocationLists } from "../trust/revocations.ts";
import { resolveTrustRoot, trustMaterial } from "../trust/trust-root.ts";

/** What a policy says that names nothing but publishers; the schema has the same defaults. */
const defaults: Omit<ClusterSkillPolicySpec, "publishers"> = {
  mode: "Enforce",
  controllers: "Warn",
  noMatch: "Deny",
  otherSignatures: "Deny",
  immutability: { configMap: "NotRequired", readOnlyMount: "NotRequired" },
  unverifiable: { default: "Deny" },
  unsigned: { action: "Deny" },
};

/**
 * The policy of one publisher, as the command line makes it from a key, a root certificate or an identity. Without the schemas,
 * whose library takes longer to load than a skill takes to verify.
 * @param root trust root `trust-root`, where the publisher refers to one
 * @param lists what is refused whoever signed it
 * @throws PolicyError where key, certificates or trust root cannot be used
 */
export function onePublisher(
  name: string,
  publisher: PublisherSpec,
  root?: SkillTrustRootSpec,
  lists: RevocationLists = noRevocations,
): PolicySnapshot {
  const spec = { ...defaults, publishers: [publisher] };
  const roots = new Map(
    root === undefined ? [] : [["trust-root", resolveTrustRoot("trust-root", root)] as const],
  );
  const { policy, anchors, keys } = compilePolicy(
    { name, spec },
    { roots, lists, compileCard: () => () => [] },
  );
  const sigstore = roots.get("trust-root")?.sigstore ?? [];
  return { policies: [policy], trust: trustMaterial({ anchors, keys, sigstore }) };
}
