import type { Cluster } from "../cluster/cluster.ts";
import type { EventWriter } from "../cluster/live/events/writer.ts";
import type { Leadership } from "../cluster/live/leader/leadership.ts";
import type { CertificateSource } from "../server/certificates/certificate-source.ts";
import type { CertificateStore } from "../server/certificates/store.ts";

/** Keeps the API server told where the webhook is. */
export interface Registration {
  /** Why reviews would not reach us, where that is for this process alone to change. */
  readonly readiness: () => readonly string[];
  /** Is the webhook registered as this replica would register it. */
  readonly registered: () => boolean;
  /** Does the API server trust these authorities, PEM. */
  readonly published: (caBundle: string) => boolean;
  readonly refresh: () => Promise<void>;
  readonly close: () => Promise<void>;
}

/** The cluster of one mode, with what only that mode has. */
export interface Connected {
  readonly cluster: Cluster;
  readonly store: CertificateStore;
  /** DNS names and addresses under which callers reach the webhook. */
  readonly names: readonly string[];
  /** Who writes status, certificates and the registration. */
  readonly leadership: Leadership;
  /** Tells of denials as Events, if it is wanted and there is a cluster to tell. */
  readonly events?: EventWriter;
  /** Absent without a cluster. */
  readonly register?: (certificates: CertificateSource) => Registration;
}
