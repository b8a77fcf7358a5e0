import { namesRisks } from "./headings.ts";
import { riskLabel, splitAtLabels } from "./risk-label.ts";
import type { Part, Section } from "./sections.ts";
import { isTableRow, readTables } from "./table.ts";
import { isRating, mayBeAboutRisk, namesRating, speaksOfRisk, wordsOf } from "./words.ts";

/** Whether the line is labelled as a risk. A lone rating behind the label is a field: `Risk: low`. */
const isLabelled = (line: string): boolean =>
  mayBeAboutRisk(line) &&
  splitAtLabels(line).some((piece) => {
    const label = riskLabel(piece);
    return label?.kind === "risk" && (label.text === "" || !isRating(wordsOf(label.text)));
  });

/** Whether the column of a table is about risks, and says more than ratings. */
function isRiskColumn(rows: readonly (readonly string[])[], column: number): boolean {
  const [header = [], ...body] = rows;
  const words = wordsOf(header[column] ?? "");
  if (!speaksOfRisk(words) || words.split(" ").length > 4) return false;
  return body.length === 0 || !body.every((row) => isRating(wordsOf(row[column] ?? "")));
}

function isRiskTable(rows: readonly (readonly string[])[]): boolean {
  const [header = [], ...body] = rows;
  if (header.some((_, column) => isRiskColumn(rows, column))) return true;
  return body.some(
    (cells) =>
      cells.some((cell) => isLabelled(cell)) ||
      cells.some((cell, at) => namesRisks(cell) && !isRating(wordsOf(cells[at + 1] ?? ""))),
  );
}

/** Rows of tables have bars at their start in what is read; other rows with bars get theirs here. */
const asRow = (line: string): string => (!isTableRow(line) && line.includes("|") ? `|${line}` : line);

function strayIn({ heading, lines }: Part): string | undefined {
  if (heading !== undefined && speaksOfRisk(wordsOf(heading))) {
    const isField = namesRating(wordsOf(heading)) && isRating(wordsOf(lines[0] ?? "risk of"));
    if (!isField) return heading;
  }
  const rows = lines.map(asRow);
  const table = readTables(rows).find(isRiskTable);
  return table?.[0]?.join(" | ") ?? lines.find((line) => !isTableRow(line) && isLabelled(line));
}

/** The first line of a section of another kind that looks like a section of risks or a risk. */
export const strayRisk = ({ parts }: Section): string | undefined =>
  parts.map(strayIn).find((line) => line !== undefined);
