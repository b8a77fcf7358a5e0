import type { ReviewDeps } from "../evaluation/evaluate.ts";
import type { KubernetesObject } from "../kubernetes/object.ts";
import type { Mark } from "../policy/trust/usage.ts";
import type { Mode } from "../policy/finding.ts";
import type { SkillSource, VolumeObject, VolumeObjectRef, VolumeObjectRequest } from "../skill/source.ts";
import type { ObjectReference } from "../workload/carriers/owner.ts";

/** One stored version of a ConfigMap. */
export interface StoredVersion {
  readonly ref: VolumeObjectRef;
  /** `metadata.resourceVersion`: numbers in the order in which the API server stored what they name. */
  readonly resourceVersion: string;
}

/** The sink of what a watch shows as stored: every version, in the order of the watch. */
export interface StoredObjects {
  /** @param key `namespace/name` */
  podStored(key: string, pod: KubernetesObject): void;
  /** @param pod as it was when it was deleted; absent if only its absence was seen */
  podGone(key: string, pod?: KubernetesObject): void;
  /** Keys of all pods. */
  podKeys(): Iterable<string>;
  configMapStored(version: StoredVersion): void;
  configMapGone(version: StoredVersion): void;
  /** Runs once all pods are listed. */
  listed(): void;
  /** Runs after versions of ConfigMaps may have been missed. */
  missed(): void;
  /** Runs after policies, trust or revocations have changed. */
  policiesChanged(): void;
  /** Runs after the labels of a namespace have changed. */
  namespaceChanged(name: string): void;
}

/** One policy that a workload does not meet, as people are told of it. */
export interface Notice {
  /** The top of the owner chain; a pod without one itself. */
  readonly workload: ObjectReference;
  readonly namespace: string;
  /** Names of the pods that it was found in, the first ones, and of how many. */
  readonly pods: readonly string[];
  readonly podCount: number;
  readonly policy: string;
  readonly tenant: string;
  readonly mode: Mode;
  /** The stored version that did not comply, where it has been replaced since: `ConfigMap payments/skills-etl`. */
  readonly replaced?: string;
  /** Reason codes, each once. */
  readonly codes: readonly string[];
  /** Equal for repetitions. */
  readonly key: string;
  /** The message in at most that many bytes. */
  readonly text: (maxBytes: number) => string;
}

/** The workloads that do not meet one policy. */
export interface Standing {
  readonly policy: string;
  readonly mode: Mode;
  readonly workloads: number;
  /** The first of them by name: `Deployment payments/etl`. */
  readonly first: readonly string[];
}

/** Ports of the room. */
export interface RecheckDeps {
  /** What objects are judged with. Its source has a read budget of its own. */
  readonly review: ReviewDeps;
  /** Begins to read for one object. */
  readonly open: (namespace: string) => SkillSource & { release(): void };
  /**
   * Reads the version of a ConfigMap that was stored at a resource version.
   * @throws SourceError also where the API server no longer has it
   */
  readonly readVersion: (
    request: VolumeObjectRequest,
    resourceVersion: string,
    signal: AbortSignal,
  ) => Promise<VolumeObject | undefined>;
  /** The top of the chain of owners, as far as it can be read. Never rejects. */
  readonly topOwner: (owner: ObjectReference, signal: AbortSignal) => Promise<ObjectReference | undefined>;
  readonly clock: {
    /** Milliseconds since 1970. */
    now(): number;
    /** Resolves after that time, or as soon as the signal aborts. */
    sleep(milliseconds: number, signal: AbortSignal): Promise<void>;
    /** The signal, with a deadline for the work on one object. */
    deadline(signal: AbortSignal): AbortSignal;
  };
  readonly onNotice: (notice: Notice) => void;
  /**
   * Runs with all policies in force after each change, once all that is stored has been judged.
   * @param seen what all pods meet of trust, publishers and revocations: the same object while that is the same
   */
  readonly onStanding: (standings: readonly Standing[], seen: ReadonlySet<Mark>) => void;
  /** Runs after all that is stored was judged by the present policies. `complete`: everything could be read. */
  readonly onPass: (pass: { readonly seconds: number; readonly complete: boolean }) => void;
  /** Runs with the number of stored pods that are not judged, for there is no memory left, each time that it changes. */
  readonly onLeftOut: (pods: number) => void;
  /** A version that could not be judged, or a fault: one sentence. */
  readonly onProblem: (message: string) => void;
}
