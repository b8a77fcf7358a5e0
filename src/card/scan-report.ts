/** Severity of one finding, least first. */
export const severities = ["low", "medium", "high", "critical"] as const;

export type Severity = (typeof severities)[number];

/** Risk of the skill as a whole, by the scanner's judgement. */
export type Risk = "none" | Severity;

/** The scanner's advice in Vett's words, derived from the risk alone. */
export type ScanVerdict = "verified" | "review" | "caution" | "blocked";

export interface ScanFinding {
  /** The scanner's name for the kind of finding, `data_exfil`. */
  readonly rule: string;
  readonly severity: Severity;
  /** The scanner's confidence; absent if it states none. */
  readonly confidence?: "confirmed" | "inferred" | "speculative";
  /** Evidence in the scanner's own words. */
  readonly text: string;
}

/**
 * A scanner's report, in one model for all formats. It proves nothing by itself: `evidence/` decides whether a
 * trusted signer stands behind it, for these bytes.
 */
export interface ScanReport {
  readonly tool: "vett";
  /** Path of the report inside the skill. */
  readonly path: string;
  readonly risk: Risk;
  readonly verdict: ScanVerdict;
  /** The highest severity among the findings; the report's own risk may be lower. */
  readonly maxFinding?: Severity;
  /** The skill's needs by the scanner: `filesystem:…`, `network:…`, `env:…`, in the form of card permissions. */
  readonly permissions: readonly string[];
  readonly findings: readonly ScanFinding[];
  readonly summary: string;
}

/** A scanner's report in a skill: read, or the reason why it is unreadable. */
export type ScanReading =
  | { readonly outcome: "read"; readonly report: ScanReport }
  | { readonly outcome: "malformed"; readonly path: string; readonly detail: string };
