import type { Decision, ReviewedResource } from "../admission/decision.ts";
import type { Mode, Verdict } from "../policy/finding.ts";
import type { Reason } from "../policy/reason.ts";
import type { SignatureEvidence, SignatureFormat } from "../signature/signature-evidence.ts";
import type { SourceErrorCode } from "../skill/source-error.ts";
import type { VolumeObjectRef } from "../skill/source.ts";

/** Format and outcome of one verification; `none` without a signature. */
export type FormatLabel = SignatureFormat | "none";
export type VerificationOutcome = SignatureEvidence["outcome"];

/** Source of fetched bytes. */
export type FetchSource = VolumeObjectRef["kind"];
export type FetchOutcome = "found" | "absent" | SourceErrorCode;

/** `objects`: ConfigMaps that were read before and have not changed in the cluster. */
export type CacheName = "evidence" | "objects";
export type CacheOutcome = "hit" | "miss" | "expired";

/**
 * Which attempt a review was: `repeated` where the same was refused within the hour, as by a controller that tries
 * again; `dry_run` where nothing would have been stored.
 */
export const attempts = ["first", "repeated", "dry_run"] as const;
export type Attempt = (typeof attempts)[number];

export type DecisionLabel = Decision["outcome"];

/** Code of a review that could not be completed. */
export type ErrorCode = Extract<Decision, { readonly outcome: "error" }>["code"];
export const errorCodes: readonly ErrorCode[] = [
  "INTERNAL",
  "TIMEOUT",
  "SOURCE_UNAVAILABLE",
  "SOURCE_MALFORMED",
  "LIMIT_EXCEEDED",
];

/**
 * HTTP status of a request that was answered without a review: 400 and 415 no review, 401 and 403 not from the API server,
 * 408 and 413 too slow or too large, 500 a fault, 503 too many at once, 504 no answer in time.
 */
export const refusalStatuses = [
  "400",
  "401",
  "403",
  "408",
  "413",
  "415",
  "500",
  "503",
  "504",
  "other",
] as const;
export type RefusalStatus = (typeof refusalStatuses)[number];
export const refusalStatus = (status: number): RefusalStatus =>
  refusalStatuses.find((known) => known === String(status)) ?? "other";

/** Labels of a closed connection: its port, the limit that was reached, the connection that was closed. */
export const connectionPorts = ["webhook", "metrics"] as const;
export const connectionLimitNames = ["client", "total"] as const;
export const connectionsClosed = ["oldest", "newest"] as const;
export interface ConnectionLabels {
  port: (typeof connectionPorts)[number];
  limit: (typeof connectionLimitNames)[number];
  closed: (typeof connectionsClosed)[number];
}

export type ModeLabel = Mode;
export type ResultLabel = Verdict["outcome"];
export type ReasonLabel = Reason;
/** `clients`: the authority of client certificates. */
export type CertificateRole = "serving" | "authority" | "clients";
/** What ends: an authority's certificate, a signer's key, an authority's revocation list, a policy's tolerance of unsigned skills. */
export type TrustExpiryKind = "authority" | "key" | "crl" | "unsigned";
/** Reason why an Event was not written. */
export const eventsDropped = ["rate_limited", "queue_full", "refused"] as const;
export type EventDropped = (typeof eventsDropped)[number];
export type PolicyState = "ready" | "broken";

/**
 * Most different names of policies and trust roots that become labels in one process: users choose them. Later names
 * share `otherNames`.
 */
export const maxNames = 500;
export const otherNames = "(other)";

/**
 * A function that passes the first `limit` different names, cut to 253 characters, and replaces all others by
 * `otherNames`.
 */
export function boundedNames(limit = maxNames): (name: string) => string {
  const seen = new Set<string>();
  return (name) => {
    if (seen.has(name)) return name;
    if (seen.size >= limit) return otherNames;
    const short = name.slice(0, 253);
    seen.add(short);
    return short;
  };
}

export type YesNo = "true" | "false";
export const yesNo = (value: boolean): YesNo => (value ? "true" : "false");

/** Label sets, closed by type. */
export interface RequestLabels {
  resource: ReviewedResource;
  operation: Decision["subject"]["operation"];
  decision: DecisionLabel;
  dry_run: YesNo;
}
export interface ResultLabels {
  policy: string;
  tenant: string;
  mode: ModeLabel;
  result: ResultLabel;
  attempt: Attempt;
}
export interface ViolationLabels {
  policy: string;
  tenant: string;
  reason: ReasonLabel;
  enforced: YesNo;
}
