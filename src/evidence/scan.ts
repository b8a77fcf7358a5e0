import type { ScanReading } from "../card/scan-report.ts";
import type { SignatureEvidence } from "../signature/signature-evidence.ts";
import { isCovered } from "./covered.ts";
import type { Grade } from "./grade.ts";

/**
 * Grades "what did review find?", whatever the finding:
 *
 * - MEDIUM: a trusted signer vouches for the report and the files together, but cannot show that the report is
 *   complete;
 * - WEAK: the report is not covered by a signature: anybody on the way may have written or changed it;
 * - ABSENT: no report, or an unreadable one.
 */
export function gradeScan(scan: ScanReading | undefined, signature: SignatureEvidence): Grade {
  if (scan?.outcome !== "read") return "ABSENT";
  return isCovered(signature, scan.report.path) ? "MEDIUM" : "WEAK";
}
