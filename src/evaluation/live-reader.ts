import type { KubernetesObject, Labels } from "../kubernetes/object.ts";
import type { PolicyObjects } from "../policy/resource/kinds.ts";
import type { SkillSource } from "../skill/source.ts";
import type { ClusterView } from "./cluster-view.ts";

/** Port: the parts of a cluster that `apply` reads, live or from manifests. */
export type ClusterReader = SkillSource &
  Pick<ClusterView, "namespaceLabels"> & { readonly close?: () => Promise<void> };

/** The cluster that a call names. */
export interface ClusterAddress {
  /** A file; absent: the one that kubectl would use, or in a pod its ServiceAccount. */
  readonly kubeconfig?: string;
  /** Context of the kubeconfig; absent: its current one. */
  readonly context?: string;
  readonly controllerNamespace: string;
}

/** Some pods of a list. */
export interface PodPage {
  readonly pods: readonly KubernetesObject[];
  /** Number of those that follow, as the API server counts them; undefined where it does not say. */
  readonly remaining: number | undefined;
}

/** The namespaces that the webhook is not asked about, whatever policies select. */
export interface Exemptions {
  readonly names: ReadonlySet<string>;
  /** Whether it may be asked about others with these labels; absent where that is not known. */
  readonly reviews?: (labels: Labels) => boolean;
  /** Why others may be exempt too: only those that always are, are known. */
  readonly unknown?: string;
}

/** Port: a live cluster, which is only read. Its errors name the missing right. */
export interface LiveReader extends ClusterReader {
  /**
   * Policies, trust roots and revocation lists.
   * @throws SourceError SOURCE_UNAVAILABLE, also where the cluster does not know the kinds
   */
  readonly policyObjects: () => Promise<PolicyObjects>;
  /** As the webhook is registered. Never rejects. */
  readonly exemptions: () => Promise<Exemptions>;
  /**
   * Pods of a namespace, or of all about which the webhook is asked. A page is requested when those before are dealt
   * with.
   * @throws SourceError
   */
  readonly podPages: (namespace: string | undefined) => AsyncIterable<PodPage>;
}
