/** Whether the line is a row of a table, with the bar at its start that cards write. */
export const isTableRow = (line: string): boolean => line.startsWith("|");

/** The cells of a row, without emphasis; `\|` is a bar within a cell. */
const cellsOf = (line: string): readonly string[] =>
  line
    .replace(/^\|/, "")
    .replace(/(?<!\\)\|$/, "")
    .split(/(?<!\\)\|/)
    .map((cell) => cell.replaceAll("\\|", "|").replaceAll("**", "").trim());

const isDelimiter = (row: readonly string[] | undefined): boolean =>
  row?.every((cell) => /^:?-+:?$/.test(cell)) === true;

/** The tables among the lines. The first row of each is its header, the row above the hyphens. */
export function readTables(lines: readonly string[]): readonly (readonly (readonly string[])[])[] {
  const tables: (readonly string[])[][] = [];
  const rows = lines.filter(isTableRow).map(cellsOf);
  rows.forEach((row, index) => {
    if (isDelimiter(row)) return;
    const table = isDelimiter(rows[index + 1]) ? undefined : tables.at(-1);
    if (table === undefined) tables.push([row]);
    else table.push(row);
  });
  return tables;
}
