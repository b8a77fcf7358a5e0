import { findingText } from "../../policy/verdict-text.ts";
import type { ReportItem, Reporter } from "./report-item.ts";

/** Characters that XML 1.0 forbids even when escaped (2.2). */
const forbidden = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g;

const entities: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "\n": "&#10;",
  "\r": "&#13;",
  "\t": "&#9;",
};

const xml = (text: string): string =>
  text
    .toWellFormed()
    .replace(forbidden, "\ufffd")
    .replace(/[&<>"\n\r\t]/g, (character) => entities[character] ?? character);

function bodyOf(item: ReportItem): string {
  const lines = item.findings.map((finding) => {
    const about = [finding.policy, finding.skill].filter((part) => part !== undefined).join(" ");
    return `${about === "" ? "" : `${about}: `}${findingText(finding)}${finding.tolerated ? " (tolerated)" : ""}`;
  });
  return [...lines, ...(item.remedy === undefined ? [] : [`fix: ${item.remedy}`])].map(xml).join("\n");
}

const whyNot = ({ findings }: ReportItem): string =>
  findings.length === 0 ? "nobody to trust was named" : findings.map((one) => findingText(one)).join("; ");

function caseOf(item: ReportItem, suite: string): string {
  const open = `    <testcase name="${xml(item.title)}" classname="${xml(suite)}"`;
  switch (item.outcome) {
    case "allow":
      return `${open}/>`;
    case "warn":
      return `${open}>\n      <system-out>${bodyOf(item)}</system-out>\n    </testcase>`;
    case "deny": {
      const codes = [...new Set(item.findings.filter(({ tolerated }) => !tolerated).map(({ code }) => code))];
      const message = codes.join(", ");
      return `${open}>\n      <failure message="${xml(message)}" type="${xml(codes[0] ?? "")}">${bodyOf(item)}</failure>\n    </testcase>`;
    }
    case "unevaluated":
      return `${open}>\n      <skipped message="${xml(whyNot(item))}"/>\n    </testcase>`;
  }
}

/** JUnit XML for CI servers: one test case per item. */
export function junitReporter(write: (text: string) => void, suite: string): Reporter {
  const items: ReportItem[] = [];
  return {
    item(item) {
      items.push(item);
    },
    end() {
      const failures = items.filter(({ outcome }) => outcome === "deny").length;
      const skipped = items.filter(({ outcome }) => outcome === "unevaluated").length;
      const counts = `tests="${items.length}" failures="${failures}" errors="0" skipped="${skipped}"`;
      const cases = items.map((item) => caseOf(item, suite));
      write(
        [
          `<?xml version="1.0" encoding="UTF-8"?>`,
          `<testsuites name="skill-admission" ${counts}>`,
          `  <testsuite name="${xml(suite)}" ${counts}>`,
          ...cases,
          "  </testsuite>",
          "</testsuites>",
          "",
        ].join("\n"),
      );
    },
  };
}
