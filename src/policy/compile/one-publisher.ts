import { compilePolicy } from "./policy.ts";
import type { PolicySnapshot } from "../policy.ts";
import type { ClusterSkillPolicySpec } from "../resource/cluster-skill-policy.ts";
import type { PublisherSpec } from "../resource/publisher.ts";
import type { SkillTrustRootSpec } from "../resource/skill-trust-root.ts";
import { noRevocations, type RevocationLists } from "../trust/revocations.ts";
import { resolveTrustRoot, trustMaterial } from "../trust/trust-root.ts";

/** `spec` of a policy that names only publishers, with the defaults of the schema. */
const defaults: Omit<ClusterSkillPolicySpec, "publishers"> = {
  mode: "Enforce",
  controllers: "Warn",
  noMatch: "Deny",
  otherSignatures: "Deny",
  immutability: {
    configMap: "NotRequired",
    readOnlyMount: "NotRequired",
    readOnlyRootFilesystem: "NotRequired",
    processNamespace: "Any",
  },
  recheck: "Watch",
  unverifiable: { default: "Deny" },
  unsigned: { action: "Deny" },
};

/**
 * Compiles the policy of a single publisher, for the command line's key, root certificate or identity. The schemas
 * are not used: loading their library takes longer than verifying a skill.
 * @param root trust root `trust-root`, if the publisher refers to one
 * @param lists revocation lists
 * @throws PolicyError if a key, certificate or trust root cannot be used
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
