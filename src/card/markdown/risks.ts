import { defined } from "../../text/fields.ts";
import type { FaultList } from "../fault-list.ts";
import { isTableRow, readTables } from "./table.ts";
import { listItem, type Part } from "./sections.ts";
import type { CardRisk } from "../skill-card.ts";

interface OpenRisk {
  readonly id?: string;
  readonly text: string[];
  mitigation?: string[];
}

/** `Risk: …`, `- **Risk 2:** …`, `Mitigation (R1): …`: the word, the risk's name, and the text. */
const labelled = /^(?:known )?(risk|mitigation)s?\s{0,4}(?:#\s{0,4})?\(?([\w.-]{1,32})?\)?\s{0,4}[:：]\s*/i;

/** The text of a line. A label counts behind marks that no reader takes for words: `> *Risk:*`, `[ ] Risk:`, `<b>Risk:</b>`. */
function plain(line: string): string {
  const text = (listItem(line) ?? line).replaceAll("**", "").replaceAll("__", "").trim();
  const bare = text
    .replace(/<[^<>]{0,200}>/g, " ")
    .replace(/[*_`]/g, "")
    .replace(/^[^\p{L}]+/u, "")
    .trim();
  return labelled.test(bare) ? bare : text;
}

/** Splits a line that holds both words. */
function split(line: string): readonly string[] {
  const at = /\bmitigations?\s{0,4}[:：]/i.exec(line)?.index ?? 0;
  return at > 0 && /^risk/i.test(line) ? [line.slice(0, at).trim(), line.slice(at)] : [line];
}

const wordOf = (line: string): string | undefined => labelled.exec(line)?.[1]?.toLowerCase();

/** Takes `### Risk 1: Floods` and `#### Mitigation` for labels, unless the text below has the same label. */
function labelFrom(heading: string | undefined, lines: readonly string[]): readonly string[] {
  const text = plain(heading ?? "").replace(/^(risk(?: \d{1,3})?|mitigation)$/i, "$1:");
  const word = wordOf(text);
  return word === undefined || lines.some((line) => wordOf(line) === word) ? [] : [text];
}

/** The lines of a part as labels and text, without its tables. */
function textOf({ heading, lines }: Part): readonly string[] {
  const text = lines.filter((line) => !isTableRow(line)).flatMap((line) => split(plain(line)));
  return [...labelFrom(heading, text), ...text];
}

/** Reads labels and the lines that continue them; a heading ends the lines of the part before. */
function fromLabels(parts: readonly (readonly string[])[], faults: FaultList): readonly OpenRisk[] {
  const risks: OpenRisk[] = [];
  for (const lines of parts) {
    let target: string[] | undefined;
    for (const line of lines) {
      const label = labelled.exec(line);
      if (label === null) {
        target?.push(line);
        continue;
      }
      const text = line.slice(label[0].length);
      const last = risks.at(-1);
      if (label[1]?.toLowerCase() === "risk") {
        const risk: OpenRisk = label[2] === undefined ? { text: [text] } : { id: label[2], text: [text] };
        risks.push(risk);
        target = risk.text;
      } else if (last === undefined) {
        faults.add("a mitigation stands before any risk", "risks");
      } else {
        last.mitigation ??= [];
        last.mitigation.push(text);
        target = last.mitigation;
      }
    }
  }
  return risks;
}

const columns = { risk: /^(?:known )?risk(?:s|\(s\))?$/i, mitigation: /^mitigation(?:s|\(s\))?$/i };

/** The risks of a table with the columns Risk and Mitigation; empty for other columns. */
function fromTable([header = [], ...rows]: readonly (readonly string[])[]): readonly OpenRisk[] {
  const risk = header.findIndex((cell) => columns.risk.test(cell));
  const mitigation = header.findIndex((cell) => columns.mitigation.test(cell));
  if (risk === -1) return [];
  return rows.map((row) => ({ text: [row[risk] ?? ""], mitigation: [row[mitigation] ?? ""] }));
}

/** The row of hyphens of a table whose rows have no bar at their start. */
const bareDelimiter = /^:?-+:?(?:[ \t]*\|[ \t]*:?-+:?)+[ \t]*\|?$/;

const advice = 'write "Risk: …" and "Mitigation: …", or a table with the columns Risk and Mitigation';

/** Reads one risk section. Text that cannot be read is a fault: it must not pass for "no risks". */
function fromSection(parts: readonly Part[], faults: FaultList): readonly OpenRisk[] {
  const texts = parts.map(textOf);
  const tables = parts.map((part) => readTables(part.lines).map(fromTable));
  const risks = [...tables.flat(2), ...fromLabels(texts, faults)];
  if (parts.some(({ lines }) => lines.some((line) => bareDelimiter.test(line)))) {
    faults.add("a table among the risks has rows without a bar at their start; begin each with one", "risks");
  }
  if (risks.length === 0) {
    if (parts.some(({ heading, lines }) => heading !== undefined || lines.length > 0)) {
      faults.add(`no line "Risk: …" could be read; ${advice}`, "risks");
    }
    return risks;
  }
  parts.forEach(({ heading, lines }, index) => {
    const found = tables[index] ?? [];
    if (found.some((table) => table.length === 0)) {
      faults.add(`a table among the risks has other columns or no rows; ${advice}`, "risks");
    }
    // Text above the first inner heading is an introduction.
    const isRead = found.length > 0 || texts[index]?.some((line) => labelled.test(line)) === true;
    if (heading !== undefined && lines.length > 0 && !isRead) {
      faults.add(`no risk could be read below the heading "${heading.slice(0, 100)}"; ${advice}`, "risks");
    }
  });
  return risks;
}

/**
 * Reads the risks of a card's risk sections: pairs of `Risk:` and `Mitigation:`, in lines or headings, or a table
 * with these columns.
 */
export function readRisks(sections: readonly (readonly Part[])[], faults: FaultList): readonly CardRisk[] {
  const open = sections.flatMap((parts) => fromSection(parts, faults));
  const maxRisks = 1_000;
  if (open.length > maxRisks) faults.add(`more than ${maxRisks} risks`, "risks");
  const text = (parts: readonly string[]): string => faults.bounded(parts.join(" ").trim(), "risks");
  return open.slice(0, maxRisks).map((risk) => ({
    ...defined({ id: risk.id }),
    text: text(risk.text),
    ...(risk.mitigation === undefined ? {} : { mitigation: text(risk.mitigation) }),
  }));
}
