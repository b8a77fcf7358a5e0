import type { Finding } from "../../policy/finding.ts";

/** Final result of one skill or object; `unevaluated` where there was no policy or no content to judge. */
export type Outcome = "allow" | "warn" | "deny" | "unevaluated";

/** A finding with its place and origin. */
export interface ReportedFinding extends Finding {
  /** Policy of the finding; absent where there is only one. */
  readonly policy?: string;
  /** Skill of the finding; absent where the item is one skill. */
  readonly skill?: string;
  /** Path of the file or folder on this machine. */
  readonly location: string;
}

/** One skill, or one object that brings skills, for every output format. */
export interface ReportItem {
  /** Name of the JUnit test case; first column of the table. */
  readonly title: string;
  /** Path of the object's file or the skill's folder. */
  readonly file: string;
  /** Line of the file at which the object begins, where it is known. */
  readonly line?: number;
  readonly outcome: Outcome;
  /** Further columns of the table, in the order of its headings. */
  readonly columns: readonly string[];
  /** Lines below the row of the table. */
  readonly facts: readonly string[];
  readonly findings: readonly ReportedFinding[];
  /** Remedy for the blocking findings, or else for those that are tolerated; absent without any. */
  readonly remedy?: string;
  /** The item in JSON and YAML. */
  readonly document: object;
}

/** Writes items in one format, each as soon as it is done. */
export interface Reporter {
  item(item: ReportItem): void;
  /** Ends the report after the last item. */
  end(): void;
}

/** Layout of one command's table. */
export interface TableLayout {
  /** Heading of the first column; those of `columns` stand after `RESULT`. */
  readonly title: string;
  readonly columns: readonly { readonly heading: string; readonly width: number }[];
  /** Noun for items in the last line: `skill`, `object`. */
  readonly noun: string;
  /** Length of the longest title: columns line up from the first row on. */
  readonly titleWidth: number;
}

const words: Readonly<Record<Outcome, string>> = {
  allow: "pass",
  warn: "warn",
  deny: "FAIL",
  unevaluated: "-",
};

/** Word for an outcome in a table. */
export const outcomeWord = (outcome: Outcome): string => words[outcome];
