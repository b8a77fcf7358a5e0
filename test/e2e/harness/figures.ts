import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { projectRoot } from "../../cluster/harness/binaries.ts";
import { machine } from "../../bench/machine.ts";
import { layOut, toMarkdown } from "../../bench/table.ts";

/** Are the figures written down: then everything lasts as long as the document says. */
export const recording = (process.env["E2E_RECORD"] ?? "") !== "";

/** What a machine keeps that does nothing else, as it has to where figures are written down; one that is busy may take longer. */
export const limit = (milliseconds: number): number => (recording ? 1 : 10) * milliseconds;

/** Figures for docs/evidence/reliability.md, in the order in which they are found. */
const found: (readonly [what: string, figure: string])[] = [];

/** Keeps a figure; the run's log has it, too. */
export function note(what: string, figure: string): void {
  found.push([what, figure]);
  console.log(`${what}: ${figure}`);
}

const [open, close] = ["<!-- figures -->", "<!-- /figures -->"];

/** Writes them between the document's marks, with the machine that they are of. */
export async function writeFigures(): Promise<void> {
  if (!recording) return;
  const path = join(projectRoot, "docs/evidence/reliability.md");
  const document = await readFile(path, "utf8");
  const [start, end] = [document.indexOf(open), document.indexOf(close)];
  if (start === -1 || end < start) throw new Error(`${path} has no marks ${open} … ${close}`);
  const table = toMarkdown({ columns: ["Figure", "Measured"], rows: found });
  const notes = machine()
    .notes.map((line) => `- ${line}`)
    .join("\n");
  const text = `${document.slice(0, start + open.length)}\n\n${table}\n\n${notes}\n\n${document.slice(end)}`;
  await writeFile(path, await layOut(text));
}
