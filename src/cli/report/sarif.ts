import { isAbsolute } from "node:path";
import { pathToFileURL } from "node:url";

import { defined } from "../../text/fields.ts";
import { reasonTexts } from "../../policy/remedy.ts";
import type { ReportedFinding, ReportItem, Reporter } from "./report-item.ts";

/**
 * URI reference of a path (RFC 3986). Relative paths stay relative: code scanning resolves them against the
 * repository.
 */
function uriOf(path: string): string {
  if (isAbsolute(path)) return pathToFileURL(path).href;
  const components = path.replace(/^(?:\.\/)+/, "").split("/");
  return components.map((component) => encodeURIComponent(component.toWellFormed())).join("/");
}

/** What a finding is about, before its words: a reader of alerts sees these and the file, no object. */
function aboutText({ title }: ReportItem, { skill, path }: ReportedFinding): string {
  const parts = [skill === undefined ? title : `${title}, ${skill}`, ...(path === undefined ? [] : [path])];
  return parts.join(": ");
}

/** The line of an object, for what is found in its own file. */
const regionOf = ({ file, line }: ReportItem, { location }: ReportedFinding): object =>
  line === undefined || location !== file ? {} : { region: { startLine: line } };

function resultOf(item: ReportItem, finding: ReportedFinding, ruleIndex: number): object {
  return {
    ruleId: finding.code,
    ruleIndex,
    level: finding.tolerated ? "warning" : "error",
    message: { text: `${aboutText(item, finding)}: ${finding.message}`.toWellFormed() },
    locations: [
      {
        physicalLocation: {
          artifactLocation: { uri: uriOf(finding.location) },
          ...regionOf(item, finding),
        },
        logicalLocations: [{ fullyQualifiedName: item.title.toWellFormed() }],
      },
    ],
    properties: {
      ...defined({
        policy: finding.policy,
        skill: finding.skill,
        signed: finding.signed,
        found: finding.found,
      }),
    },
  };
}

function ruleOf({ code }: ReportedFinding): object {
  const { meaning, remedy } = reasonTexts[code];
  return {
    id: code,
    shortDescription: { text: code.toLowerCase().replaceAll("_", " ") },
    fullDescription: { text: meaning },
    help: { text: `fix: ${remedy}` },
    defaultConfiguration: { level: "error" },
  };
}

/** SARIF 2.1.0 (OASIS) for code scanning: one run, one result per finding. */
export function sarifReporter(write: (text: string) => void, version: string): Reporter {
  const rules = new Map<string, { readonly index: number; readonly rule: object }>();
  const results: object[] = [];
  return {
    item(item) {
      for (const finding of item.findings) {
        const known = rules.get(finding.code) ?? { index: rules.size, rule: ruleOf(finding) };
        rules.set(finding.code, known);
        results.push(resultOf(item, finding, known.index));
      }
    },
    end() {
      const driver = { name: "skill-admission", version, rules: [...rules.values()].map(({ rule }) => rule) };
      const document = {
        $schema: "https://json.schemastore.org/sarif-2.1.0.json",
        version: "2.1.0",
        runs: [{ tool: { driver }, columnKind: "utf16CodeUnits", results }],
      };
      write(`${JSON.stringify(document, undefined, 2)}\n`);
    },
  };
}
