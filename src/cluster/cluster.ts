import type { ClusterView } from "../evaluation/cluster-view.ts";
import type { CompiledSnapshot } from "../policy/compile/snapshot.ts";
import type { PolicyIndex } from "../policy/policy.ts";
import type { OwnPlural } from "../policy/resource/kinds.ts";
import type { MirrorReference, NamedReference, ResolvedReference } from "../policy/trust/reference.ts";
import type { SkillSource } from "../skill/source.ts";

/** Everything that reviews ask of the cluster, live or offline. */
export interface Cluster extends SkillSource, ClusterView, PolicyIndex {
  /** Why reviews cannot be answered well now, a sentence each; empty when they can. */
  readiness(): readonly string[];
  /** Stops watching and lets connections go. Safe to call twice. */
  close(): Promise<void>;
}

/** Port: trusted roots that are no objects of the cluster. */
export interface MirrorSource {
  /** Follows the mirrors that are referred to, from now on these and no others. Returns at once. */
  follow(references: readonly NamedReference[]): void;
  /** What a mirror has published, from memory. */
  read(reference: MirrorReference): ResolvedReference;
  /** Is what was kept of one still being read; that takes moments, and waits for no mirror. */
  pending(): boolean;
  /** Calls back after each change of what `read` and `pending` answer. */
  onChange(changed: () => void): void;
}

/** What is watched; also the label of the watch metric. */
export type WatchedResource =
  OwnPlural | "namespaces" | "pods" | "configmaps" | "secrets" | "validatingwebhookconfigurations";

/** What the adapter tells of itself while it runs. None of these may throw. */
export interface ClusterHooks {
  /** Something that an operator should know, one sentence with the remedy. Said once per change, not repeated. */
  readonly onProblem: (message: string) => void;
  /** After each change of policies, trust or revocation lists, and once at the start. */
  readonly onPolicies?: (snapshot: CompiledSnapshot) => void;
  /** Somebody had changed or deleted the webhook's registration, and it has been put back. */
  readonly onRepair?: () => void;
  /** How many namespaces carry the break-glass label; after each change, and once at the start. */
  readonly onBreakGlass?: (namespaces: number) => void;
  /** At the start, after each change of a watch's health and after each list. `lastSync`: milliseconds since 1970. */
  readonly onWatchState?: (resource: WatchedResource, healthy: boolean, lastSync: number | undefined) => void;
}
