import type { Finding } from "../../policy/finding.ts";

/** What is said of one skill or object in the end; `unevaluated` where there was nothing to judge it by. */
export type Outcome = "allow" | "warn" | "deny" | "unevaluated";

/** A finding, with where a reader finds what it is about. */
export interface ReportedFinding extends Finding {
  /** The policy that asks for it; absent where there is only one. */
  readonly policy?: string;
  /** The skill it is about, where one item holds several. */
  readonly skill?: string;
  /** The file or folder on this machine that it is about. */
  readonly location: string;
}

/** One thing reported on, for every output format: a skill, or an object that brings skills. */
export interface ReportItem {
  /** What JUnit calls the case and the table's first column. */
  readonly title: string;
  readonly outcome: Outcome;
  /** Further columns of the table, in the order of its headings. */
  readonly columns: readonly string[];
  /** Facts for the table, below the row, a line each. */
  readonly facts: readonly string[];
  readonly findings: readonly ReportedFinding[];
  /** What to do, where something is wrong. */
  readonly remedy?: string;
  /** The whole, for JSON and YAML. */
  readonly document: object;
}

/** Writes items as each is done, in one format. */
export interface Reporter {
  item(item: ReportItem): void;
  /** After the last item. */
  end(): void;
}

/** How the table of one command looks. */
export interface TableLayout {
  /** The heading of the first column, and of those after `RESULT`. */
  readonly title: string;
  readonly columns: readonly { readonly heading: string; readonly width: number }[];
  /** What items are called in the last line: `skill`, `object`. */
  readonly noun: string;
  /** The longest title, so that columns line up from the first row on. */
  readonly titleWidth: number;
}

const words: Readonly<Record<Outcome, string>> = {
  allow: "pass",
  warn: "warn",
  deny: "FAIL",
  unevaluated: "-",
};

/** An outcome as a person reads it in a table. */
export const outcomeWord = (outcome: Outcome): string => words[outcome];
