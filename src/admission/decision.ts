import type { Mode, Verdict } from "../policy/finding.ts";
import type { Reason } from "../policy/reason.ts";
import { carriers } from "../workload/carriers/carriers.ts";
import type { ObjectReference } from "../workload/carriers/owner.ts";

/** Resources with subresources, as metrics name them: those that bring in skills or start pods, and `other`. */
export const reviewedResources = [
  ...carriers.map(({ resource }) => resource),
  "pods/ephemeralcontainers",
  "pods/binding",
  "bindings",
  "configmaps",
  "other",
] as const;

export type ReviewedResource = (typeof reviewedResources)[number];

/** A mode that never refuses. */
export type Lenient = Exclude<Mode, "Enforce">;

/** Subject of a review, for messages, logs and metrics. */
export interface ReviewSubject {
  readonly uid: string;
  readonly kind: string;
  readonly resource: ReviewedResource;
  readonly operation: "CREATE" | "UPDATE" | "DELETE" | "CONNECT";
  readonly namespace: string;
  readonly name: string;
  /** What the name of a new object was generated from, `web-5d4f9c-`: the rest of it differs with each attempt. */
  readonly generatedFrom?: string;
  /** Owners that the object names, its controller first; absent: none. */
  readonly owners?: readonly ObjectReference[];
  readonly dryRun: boolean;
  readonly user: string;
}

/** Whether a review is about the binding of a pod to a node: `bindings` is the older way to make one. */
export const isBinding = ({ resource }: Pick<ReviewSubject, "resource">): boolean =>
  resource === "pods/binding" || resource === "bindings";

/** Reason for allowing without a verdict; every such decision has one. */
export type Bypass =
  /** No policy applies to the namespace. */
  | "ungoverned"
  /** The kind of object can mount no skill. */
  | "not-a-carrier"
  /** The object mounts no skill, or the change alters none. */
  | "no-skills"
  /** The update changes none of the fields or data that determine the mounted files. */
  | "unchanged"
  /** No running pod mounts the ConfigMap. */
  | "unused"
  /** No policy of the namespace reviews bindings. */
  | "not-rechecked"
  /** The pod that is to be bound is not there, or another one has its name: the API server refuses that itself. */
  | "no-such-pod"
  /** The operation mounts nothing, such as a deletion. */
  | "operation";

/** Decision over all policies: source of the answer, the log line and the metrics. */
export type Decision =
  | {
      readonly outcome: "allow";
      readonly id: string;
      readonly subject: ReviewSubject;
      readonly bypass: Bypass;
    }
  | {
      readonly outcome: "allow" | "warn" | "deny";
      readonly id: string;
      readonly subject: ReviewSubject;
      readonly verdicts: readonly Verdict[];
      /** Version of the trust that signatures were verified against. */
      readonly trust: string;
    }
  /** The review failed: denied with status 500, to distinguish it from a denial by policy, unless a mode lets it in. */
  | {
      readonly outcome: "error";
      readonly id: string;
      readonly subject: ReviewSubject;
      /** The mode that lets the object in all the same. */
      readonly letInBy?: Lenient;
      readonly code: Extract<
        Reason,
        "INTERNAL" | "TIMEOUT" | "SOURCE_UNAVAILABLE" | "SOURCE_MALFORMED" | "LIMIT_EXCEEDED"
      >;
      readonly message: string;
      readonly cause?: unknown;
    };
