import type { Verdict } from "../policy/finding.ts";
import type { Reason } from "../policy/reason.ts";
import { carriers } from "../workload/carriers/carriers.ts";

/** Resources with their subresources as they are named in metrics: those that can bring skills in, and one word for all others. */
export const reviewedResources = [
  ...carriers.map(({ resource }) => resource),
  "pods/ephemeralcontainers",
  "configmaps",
  "other",
] as const;

export type ReviewedResource = (typeof reviewedResources)[number];

/** What a review was about: enough for messages, logs and metrics. */
export interface ReviewSubject {
  readonly uid: string;
  readonly kind: string;
  readonly resource: ReviewedResource;
  readonly operation: "CREATE" | "UPDATE" | "DELETE" | "CONNECT";
  readonly namespace: string;
  readonly name: string;
  readonly dryRun: boolean;
  readonly user: string;
}

/** Why nothing had to be checked. Every allow without a verdict names one of these. */
export type Bypass =
  /** No policy applies to the namespace. */
  | "ungoverned"
  /** The kind of object cannot bring in a skill. */
  | "not-a-carrier"
  /** Nothing in the object can hold a skill. */
  | "no-skills"
  /** An update that leaves everything alone through which bytes come in. */
  | "unchanged"
  /** A ConfigMap that no running governed pod mounts. */
  | "unused"
  /** An operation that brings nothing in, such as a deletion. */
  | "operation";

/** All policies' verdicts together: the answer to the API server, and the source of log line and metrics. */
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
    }
  /** The review itself could not be completed: denied with 500, so that it is told apart from a denial. */
  | {
      readonly outcome: "error";
      readonly id: string;
      readonly subject: ReviewSubject;
      readonly code: Extract<
        Reason,
        "INTERNAL" | "TIMEOUT" | "SOURCE_UNAVAILABLE" | "SOURCE_MALFORMED" | "LIMIT_EXCEEDED"
      >;
      readonly message: string;
      readonly cause?: unknown;
    };
