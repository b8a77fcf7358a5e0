import { findingText } from "../../policy/verdict-text.ts";
import { printable } from "../../text/printable.ts";
import {
  outcomeWord,
  type Outcome,
  type ReportItem,
  type Reporter,
  type TableLayout,
} from "./report-item.ts";

/** Where a table goes. */
export interface TableOutput {
  readonly write: (text: string) => void;
  /** Columns of the terminal; 80 without one. */
  readonly width: number;
  readonly colour: boolean;
}

const colours: Readonly<Record<Outcome, string>> = { allow: "32", warn: "33", deny: "31", unevaluated: "2" };

const maxTitle = 32;
const maxFindings = 20;
const gap = "  ";

/** Breaks a line between words; following lines stand `indent` deep. */
export function wrapped(line: string, width: number, indent: number): readonly string[] {
  const margin = /^ */.exec(line)?.[0] ?? "";
  const [first = "", ...words] = line.slice(margin.length).split(" ");
  const lines: string[] = [];
  let current = margin + first;
  for (const word of words) {
    if (current.length + 1 + word.length > width) {
      lines.push(current.trimEnd());
      current = " ".repeat(indent) + word;
    } else {
      current = `${current} ${word}`;
    }
  }
  return [...lines, current];
}

const fitted = (text: string, width: number): string =>
  text.length <= width ? text.padEnd(width) : `${text.slice(0, Math.max(width - 1, 0)).toWellFormed()}…`;

function rowText(
  cells: { readonly title: string; readonly result: string; readonly columns: readonly string[] },
  widths: readonly number[],
  width: number,
): string {
  const [titleWidth = 0, resultWidth = 0, ...others] = widths;
  const fixed = [
    cells.result.padEnd(resultWidth),
    ...cells.columns.map((cell, index) => fitted(cell, others[index] ?? 0)),
  ];
  const rest = fixed.join(gap).trimEnd();
  // A title that is too long gets a line of its own: a cut name identifies nothing.
  const start =
    cells.title.length > titleWidth
      ? `${cells.title}\n${" ".repeat(titleWidth)}`
      : cells.title.padEnd(titleWidth);
  return `${start}${gap}${rest}`
    .split("\n")
    .map((line) => (line.length > width ? `${line.slice(0, width - 1).toWellFormed()}…` : line))
    .join("\n");
}

function detailLines(item: ReportItem, width: number): readonly string[] {
  const codes = Math.max(0, ...item.findings.map(({ code }) => code.length));
  const shown = item.findings.slice(0, maxFindings).map((finding) => {
    const about = [finding.policy, finding.skill].filter((part) => part !== undefined);
    const prefix = about.length === 0 ? "" : `${about.map((part) => printable(part, 60)).join(" ")}: `;
    return `  ${prefix}${findingText(finding, codes)}${finding.tolerated ? " (tolerated)" : ""}`;
  });
  const more = item.findings.length - shown.length;
  return [
    ...item.facts.map((fact) => `  ${printable(fact, 400)}`),
    ...shown.map((line) => line.trimEnd()),
    ...(more > 0 ? [`  and ${more} more; -o json has them all`] : []),
    ...(item.remedy === undefined ? [] : [`  fix: ${item.remedy}`]),
  ].flatMap((line) => wrapped(line, width, 4));
}

const plural = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? "" : "s"}`;

function summaryLine(counts: Readonly<Record<Outcome, number>>, noun: string): string {
  const total = counts.allow + counts.warn + counts.deny + counts.unevaluated;
  const parts = [
    `${counts.allow} passed`,
    ...(counts.warn > 0 ? [`${counts.warn} passed with a warning`] : []),
    ...(counts.deny > 0 ? [`${counts.deny} failed`] : []),
    ...(counts.unevaluated > 0 ? [`${counts.unevaluated} not judged`] : []),
  ];
  return `${plural(total, noun)}: ${parts.join(", ")}`;
}

/** Table for people: one row per item, written as it is done, with its findings below. */
export function tableReporter(output: TableOutput, layout: TableLayout): Reporter {
  const width = Math.max(output.width, 60);
  const titleWidth = Math.max(layout.title.length, Math.min(layout.titleWidth, maxTitle));
  const used =
    titleWidth + 6 + layout.columns.reduce((sum, column) => sum + column.width + gap.length, gap.length);
  // The last column takes the rest of the terminal's width.
  const last = layout.columns.length - 1;
  const widths = [
    titleWidth,
    6,
    ...layout.columns.map((column, index) => column.width + (index === last ? Math.max(0, width - used) : 0)),
  ];
  const counts: Record<Outcome, number> = { allow: 0, warn: 0, deny: 0, unevaluated: 0 };
  let started = false;
  const head = (): void => {
    if (started) return;
    started = true;
    const columns = layout.columns.map(({ heading }) => heading);
    output.write(`${rowText({ title: layout.title, result: "RESULT", columns }, widths, width)}\n`);
  };
  return {
    item(item) {
      head();
      counts[item.outcome] += 1;
      const row = rowText(
        {
          title: printable(item.title, 200),
          result: outcomeWord(item.outcome),
          columns: item.columns.map((cell) => printable(cell)),
        },
        widths,
        width,
      );
      const painted = output.colour ? `\u001b[${colours[item.outcome]}m${row}\u001b[0m` : row;
      output.write(`${[painted, ...detailLines(item, width)].join("\n")}\n`);
    },
    end() {
      head();
      output.write(`${summaryLine(counts, layout.noun)}\n`);
    },
  };
}
