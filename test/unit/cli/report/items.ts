import type { ReportedFinding, ReportItem, TableLayout } from "../../../../src/cli/report/report-item.ts";

export const finding = (over: Partial<ReportedFinding> = {}): ReportedFinding => ({
  code: "DIGEST_MISMATCH",
  path: "scripts/run.sh",
  message: "changed since it was signed",
  signed: `sha256:${"3".repeat(64)}`,
  found: `sha256:${"9".repeat(64)}`,
  tolerated: false,
  location: "skills/demo/scripts/run.sh",
  ...over,
});

const added: ReportedFinding = {
  code: "FILE_UNSIGNED",
  path: "extra.py",
  message: "not in the signed list",
  tolerated: false,
  location: "skills/broken/extra.py",
};

export const passing: ReportItem = {
  title: "demo",
  file: "skills/demo",
  outcome: "allow",
  columns: ["STRONG", "STRONG", "Acme Signing 001"],
  facts: [],
  findings: [],
  document: { skill: "demo", outcome: "allow" },
};

export const failing: ReportItem = {
  title: "broken",
  file: "skills/broken",
  outcome: "deny",
  columns: ["ABSENT", "STRONG", "Acme Signing 001"],
  facts: [],
  findings: [finding(), added],
  remedy: "mount the published files again",
  document: { skill: "broken", outcome: "deny" },
};

export const layout: TableLayout = {
  title: "SKILL",
  columns: [
    { heading: "INTEGRITY", width: 10 },
    { heading: "AUTHORSHIP", width: 10 },
    { heading: "SIGNER", width: 6 },
  ],
  noun: "skill",
  titleWidth: 6,
};

/** A writer that keeps everything written. */
export function sink() {
  const written: string[] = [];
  return { write: (text: string) => void written.push(text), text: () => written.join("") };
}
