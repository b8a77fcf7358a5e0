import type { Cluster } from "../cluster/cluster.ts";
import type { EventWriter } from "../cluster/live/events/writer.ts";
import type { ReviewDeps } from "../evaluation/evaluate.ts";
import type { Telemetry } from "../telemetry/telemetry.ts";
import type { Leadership } from "../cluster/live/leader/leadership.ts";
import type { CertificateSource } from "../server/certificates/certificate-source.ts";
import type { CertificateStore } from "../server/certificates/store.ts";

/** Keeps the webhook registered at the API server. */
export interface Registration {
  /** Reasons why reviews would not reach this process that it alone can remove. */
  readonly readiness: () => readonly string[];
  /** True while the webhook is registered as this replica would register it. */
  readonly registered: () => boolean;
  /** True if the registration trusts these certificate authorities (PEM). */
  readonly published: (caBundle: string) => boolean;
  readonly refresh: () => Promise<void>;
  readonly close: () => Promise<void>;
}

/** The cluster of one mode, with the parts that only that mode has. */
export interface Connected {
  readonly cluster: Cluster;
  readonly store: CertificateStore;
  /** DNS names and addresses under which callers reach the webhook. */
  readonly names: readonly string[];
  /** Leader election: only the leader writes status, certificates and the registration. */
  readonly leadership: Leadership;
  /** Writes Events about denials; absent where they are off or there is no cluster. */
  readonly events?: EventWriter;
  /** Judges what is stored, while this process leads; absent without a cluster. */
  readonly recheck?: (
    measured: Pick<ReviewDeps, "evidence" | "measure">,
    telemetry: Telemetry,
  ) => { close(): Promise<void> };
  /** Absent without a cluster. */
  readonly register?: (certificates: CertificateSource) => Registration;
}
