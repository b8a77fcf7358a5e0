/** How grave one finding of a scanner is, the least first. */
export const severities = ["low", "medium", "high", "critical"] as const;

export type Severity = (typeof severities)[number];

/** How much of a risk a scanner sees in a skill as a whole. */
export type Risk = "none" | Severity;

/** What a scanner advises: Vett's words, by the risk alone. */
export type ScanVerdict = "verified" | "review" | "caution" | "blocked";

/** One thing that a scanner found. */
export interface ScanFinding {
  /** The scanner's name for the kind of finding, such as `data_exfil`. */
  readonly rule: string;
  readonly severity: Severity;
  /** How sure the scanner is, where it says so. */
  readonly confidence?: "confirmed" | "inferred" | "speculative";
  /** Where, or by what: the scanner's own text. */
  readonly text: string;
}

/**
 * What a scanner said of a skill, in one model whatever format it came in. Never a proof: whether anybody stands behind
 * these words, and whether they are about these bytes, is for `evidence/` to say.
 */
export interface ScanReport {
  readonly tool: "vett";
  /** Path of the report inside the skill. */
  readonly path: string;
  readonly risk: Risk;
  readonly verdict: ScanVerdict;
  /** The gravest finding; a report may name a risk below it. */
  readonly maxFinding?: Severity;
  /** What the scanner says the skill uses: `filesystem:…`, `network:…`, `env:…`, as permissions of cards are written. */
  readonly permissions: readonly string[];
  readonly findings: readonly ScanFinding[];
  readonly summary: string;
}

/** A scanner's report as it stands in a skill: read, or why it cannot be. */
export type ScanReading =
  | { readonly outcome: "read"; readonly report: ScanReport }
  | { readonly outcome: "malformed"; readonly path: string; readonly detail: string };
