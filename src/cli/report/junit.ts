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
  const place = ` file="${xml(item.file)}"${item.line === undefined ? "" : ` line="${item.line}"`}`;
  const open = `    <testcase name="${xml(item.title)}" classname="${xml(suite)}"${place}`;
  switch (item.outcome) {
    case "allow":
    case "warn":
      if (item.findings.length === 0) return `${open}/>`;
      return `${open}>\n      <system-out>${bodyOf(item)}</system-out>\n    </testcase>`;
    case "deny": {
      const codes = [...new Set(item.findings.filter(({ tolerated }) => !tolerated).map(({ code }) => code))];
      const message = codes.join(", ");
      return `${open}>\n      <failure message="${xml(message)}" type="${xml(codes[0] ?? "")}">${bodyOf(item)}</failure>\n    </testcase>`;
    }
    case "unevaluated":
      // An error, not a skipped case: CI servers show those as passed.
      return `${open}>\n      <error message="${xml(whyNot(item))}" type="${xml(item.findings[0]?.code ?? "")}">${bodyOf(item)}</error>\n    </testcase>`;
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
      const errors = items.filter(({ outcome }) => outcome === "unevaluated").length;
      const counts = `tests="${items.length}" failures="${failures}" errors="${errors}" skipped="0"`;
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
