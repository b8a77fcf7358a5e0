import type { ScanReading } from "../card/scan-report.ts";
import type { SignatureEvidence } from "../signature/signature-evidence.ts";
import { isCovered } from "./covered.ts";
import type { Grade } from "./grade.ts";

/**
 * Grades "what did review find?", whatever it found:
 *
 * - MEDIUM: a trusted signer's words stand behind the report and the files together. That it is complete it cannot show;
 * - WEAK: there is a report that nobody signed: anybody on the way may have written or changed it;
 * - ABSENT: there is none, or one that cannot be read.
 */
export function gradeScan(scan: ScanReading | undefined, signature: SignatureEvidence): Grade {
  if (scan?.outcome !== "read") return "ABSENT";
  return isCovered(signature, scan.report.path) ? "MEDIUM" : "WEAK";
}
