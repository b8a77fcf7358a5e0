import type { ClusterView } from "../evaluation/cluster-view.ts";
import type { CompiledSnapshot } from "../policy/compile/snapshot.ts";
import type { NamespaceChange } from "../policy/changes/namespace-change.ts";
import type { InForce, PolicyChanges } from "../policy/changes/resource-changes.ts";
import type { PolicyIndex } from "../policy/policy.ts";
import type { OwnPlural } from "../policy/resource/kinds.ts";
import type { MirrorReference, NamedReference, ResolvedReference } from "../policy/trust/reference.ts";
import type { SkillSource } from "../skill/source.ts";

/** Everything that reviews read from a cluster, live or offline. */
export interface Cluster extends SkillSource, ClusterView, PolicyIndex {
  /** Reasons why reviews cannot be answered well now, a sentence each; empty when they can. */
  readiness(): readonly string[];
  /** Stops watching and closes connections. Safe to call twice. */
  close(): Promise<void>;
}

/** Port: trusted roots that are no objects of the cluster. */
export interface MirrorSource {
  /** Replaces the followed mirrors by those of the references. Returns at once. */
  follow(references: readonly NamedReference[]): void;
  /** The mirror's last published root, from memory. */
  read(reference: MirrorReference): ResolvedReference;
  /** True while the stored root of a mirror is still being read: moments, without waiting for a mirror. */
  pending(): boolean;
  /** Calls back after each change of a result of `read` or `pending`. */
  onChange(changed: () => void): void;
}

/** Watched resource; also the label of the watch metric. */
export type WatchedResource =
  | OwnPlural
  | "namespaces"
  | "pods"
  | "configmaps"
  | "secrets"
  | "customresourcedefinitions"
  | "validatingwebhookconfigurations";

/** Events of a running adapter. None of the hooks may throw. */
export interface ClusterHooks {
  /** A problem for the operator: one sentence with the remedy, once per change. */
  readonly onProblem: (message: string) => void;
  /** Runs at the start and after each change of policies, trust roots or revocation lists. */
  readonly onPolicies?: (snapshot: CompiledSnapshot) => void;
  /** Runs once, with all policies, trust roots and revocation lists that are in force at the start. */
  readonly onInForce?: (inForce: InForce) => void;
  /** Runs after some of these came, went or became others; not at the start. */
  readonly onChanges?: (changes: PolicyChanges) => void;
  /** Runs after labels by which a namespace comes under policies, leaves some, or is exempt; not at the start. */
  readonly onNamespaceChange?: (change: NamespaceChange) => void;
  /** Runs after the labels of a namespace have changed. */
  readonly onNamespaceLabels?: (name: string) => void;
  /** Runs after the webhook's registration, changed or deleted by somebody else, is restored. */
  readonly onRepair?: () => void;
  /** Runs after each look whether the API server gets an answer of the webhook. */
  readonly onAnswered?: (answered: boolean) => void;
  /** Runs with the number of namespaces that carry the break-glass label, at the start and after each change. */
  readonly onBreakGlass?: (namespaces: number) => void;
  /** Runs with the number of pods for which there is no memory left, at the start and after each change. */
  readonly onPodsLeftOut?: (pods: number) => void;
  /**
   * Runs at the start, after each change of a watch's health, and after each list. `lastSync`: milliseconds since
   * 1970.
   */
  readonly onWatchState?: (resource: WatchedResource, healthy: boolean, lastSync: number | undefined) => void;
}
