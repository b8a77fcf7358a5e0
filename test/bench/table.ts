import { format } from "prettier";

/** One table of figures. */
export interface Table {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** A figure that the project holds itself to. */
export interface Aim {
  readonly figure: string;
  readonly measured: string;
  readonly aim: string;
  readonly met: boolean;
}

/** What one scenario found: aims and ratios first, then the figures that they come from. */
export interface Section {
  readonly id: SectionId;
  readonly aims: readonly Aim[];
  readonly tables: readonly Table[];
  /** Sentences below the tables: rounds, spread, where the time goes. */
  readonly notes: readonly string[];
}

export const sectionIds = [
  "machine",
  "verification",
  "reviews",
  "api-server",
  "memory",
  "hostile",
  "recheck",
  "fleet",
] as const;

export type SectionId = (typeof sectionIds)[number];

const row = (cells: readonly string[]): string =>
  `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;

/** The table in Markdown; the first column is to the left, all others to the right. */
export const toMarkdown = ({ columns, rows }: Table): string =>
  [row(columns), row(columns.map((_, at) => (at === 0 ? ":---" : "---:"))), ...rows.map(row)].join("\n");

const aimsTable = (aims: readonly Aim[]): Table => ({
  columns: ["Figure", "Measured", "Aim", "Met"],
  rows: aims.map(({ figure, measured, aim, met }) => [figure, measured, aim, met ? "yes" : "**no**"]),
});

/** A section as it stands in the document, between its marks. */
export function sectionMarkdown({ aims, tables, notes }: Section): string {
  const parts = [
    ...(aims.length === 0 ? [] : [toMarkdown(aimsTable(aims))]),
    ...tables.map(toMarkdown),
    ...(notes.length === 0 ? [] : [notes.map((note) => `- ${note}`).join("\n")]),
  ];
  return parts.join("\n\n");
}

/** Lays Markdown out as the repository's formatter would, so that columns line up on a terminal, too. */
export const layOut = (markdown: string): Promise<string> =>
  format(markdown, { parser: "markdown", printWidth: 110 });

/**
 * Replaces what stands between a section's marks, `<!-- bench:ID -->` and `<!-- /bench:ID -->`; all else is kept.
 * @throws Error naming the mark that the document does not have
 */
export function record(document: string, section: Section): string {
  const [open, close] = [`<!-- bench:${section.id} -->`, `<!-- /bench:${section.id} -->`];
  const start = document.indexOf(open);
  const end = document.indexOf(close, start);
  if (start === -1 || end === -1) throw new Error(`the document has no marks ${open} … ${close}`);
  return `${document.slice(0, start + open.length)}\n\n${sectionMarkdown(section)}\n\n${document.slice(end)}`;
}

/** A ratio or number with as many digits as a reader can use. */
export function figure(value: number): string {
  if (!Number.isFinite(value)) return "–";
  if (value >= 1000) return Math.round(value).toLocaleString("en-US");
  if (value >= 100) return value.toFixed(0);
  if (value >= 10) return value.toFixed(1);
  return value >= 1 ? value.toFixed(2) : value.toFixed(3);
}

export const percent = (share: number): string =>
  Number.isFinite(share) ? `${Math.round(share * 100)} %` : "–";

/** Milliseconds. */
export const time = (milliseconds: number): string => `${figure(milliseconds)} ms`;

/** Bytes as MiB. */
export const mebibytes = (bytes: number): string =>
  Number.isFinite(bytes) ? `${(bytes / 2 ** 20).toFixed(bytes < 10 * 2 ** 20 ? 2 : 0)} MiB` : "–";
