import { readFile } from "node:fs/promises";

/** One line of the product's log. */
export interface LogLine {
  readonly level: string;
  readonly msg: string;
  readonly decision?: "allow" | "warn" | "deny" | "error";
  readonly bypass?: string;
  readonly id?: string;
  readonly kind?: string;
  readonly operation?: string;
  readonly namespace?: string;
  readonly name?: string;
  readonly dryRun?: boolean;
  readonly owners?: readonly { readonly kind: string; readonly name: string }[];
  /** HTTP status of an answer without a review. */
  readonly status?: number;
  readonly message?: string;
  readonly client?: string;
  readonly verdicts?: readonly {
    readonly policy: string;
    readonly mode: string;
    readonly outcome: string;
    readonly skills: readonly { readonly findings: readonly { readonly code: string }[] }[];
  }[];
}

/**
 * The whole lines of a log, from a byte of it on. A line comes to the file a moment after the answer that it tells of: wait for it.
 */
export async function logLines(logFile: string, from = 0): Promise<readonly LogLine[]> {
  const text = (await readFile(logFile)).subarray(from).toString("utf8");
  const lines = text.split("\n").slice(0, -1);
  // The shell around the program says a word of its own when it is killed.
  return lines.filter((line) => line.startsWith("{")).map((line) => JSON.parse(line) as LogLine);
}
