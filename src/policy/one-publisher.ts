import { compilePolicy } from "./compile-policy.ts";
import type { PolicySnapshot } from "./policy.ts";
import type { ClusterSkillPolicySpec } from "./resource/cluster-skill-policy.ts";
import type { PublisherSpec } from "./resource/publisher.ts";
import { trustMaterial } from "./trust.ts";

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
 * The policy of one publisher, as the command line makes it from a key or a root certificate. Without the schemas,
 * whose library takes longer to load than a skill takes to verify.
 * @throws PolicyError where key or certificates cannot be used
 */
export function onePublisher(name: string, publisher: PublisherSpec): PolicySnapshot {
  const spec = { ...defaults, publishers: [publisher] };
  const { policy, anchors, keys } = compilePolicy({ name, spec }, new Map(), () => () => []);
  return { policies: [policy], trust: trustMaterial({ anchors, keys }) };
}
