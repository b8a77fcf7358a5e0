import { defined } from "../../text/fields.ts";
import type { FaultList } from "../fault-list.ts";
import { namesRisks } from "./headings.ts";
import { riskLabel, splitAtLabels } from "./risk-label.ts";
import { isTableRow, readTables } from "./table.ts";
import { listItem, type Part, type Section } from "./sections.ts";
import { behindMarks, isRating, namesRating, saysNone, visible, wordsOf } from "./words.ts";
import type { CardRisk } from "../skill-card.ts";

interface OpenRisk {
  readonly id?: string;
  readonly text: string[];
  mitigation?: string[];
}

const plain = (line: string): string =>
  (listItem(line) ?? line).replaceAll("**", "").replaceAll("__", "").trim();

/**
 * Takes `### Risk 1: Floods` and `#### Mitigation` for labels, unless the text below has the same label. Headings of
 * several risks are none.
 */
function labelFrom(heading: string, lines: readonly string[]): readonly string[] {
  const text = behindMarks(heading).replace(/^#+\s*/, "");
  const bare = /^(?:risk(?: \d{1,3})?|mitigation)$/i.test(visible(text).trim())
    ? `${visible(text).trim()}:`
    : text;
  const label = riskLabel(bare);
  if (label === undefined || lines.some((line) => riskLabel(line)?.kind === label.kind)) return [];
  const isGroup = bare === text && (namesRisks(label.text) || /\brisks\b/.test(wordsOf(text)));
  return isGroup ? [] : [bare];
}

/** The lines of a part as labels and text, without its tables. */
function textOf({ heading = "", lines }: Part): readonly string[] {
  const text = lines.filter((line) => !isTableRow(line)).flatMap(splitAtLabels);
  return [...labelFrom(heading, text), ...text];
}

/** Reads labels and the lines that continue them; a heading ends the lines of the part before. */
function fromLabels(parts: readonly (readonly string[])[], faults: FaultList): readonly OpenRisk[] {
  const risks: OpenRisk[] = [];
  for (const lines of parts) {
    let target: string[] | undefined;
    for (const line of lines) {
      const label = riskLabel(line);
      if (label === undefined) {
        target?.push(plain(line));
        continue;
      }
      const { text } = label;
      const last = risks.at(-1);
      if (label.kind === "risk") {
        const risk: OpenRisk = { ...defined({ id: label.id }), text: [text] };
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

/** Whether all lines are ratings, below a heading that names one. */
const isRatingAlone = (heading: string, lines: readonly string[]): boolean =>
  namesRating(wordsOf(heading)) && lines.every((line) => isRating(wordsOf(line)));

/** Whether the section says that there are no risks, or rates them and says no more. */
function saysNoRisk({ text, parts }: Section): boolean {
  const [{ lines } = { lines: [] }, ...inner] = parts;
  if (inner.length > 0) return false;
  return lines.length > 0 && (lines.every((line) => saysNone(wordsOf(line))) || isRatingAlone(text, lines));
}

/** Reads one risk section. Text that cannot be read is a fault: it must not pass for "no risks". */
function fromSection(section: Section, faults: FaultList): readonly OpenRisk[] {
  const { text, parts } = section;
  const texts = parts.map((part, index) => textOf(index === 0 ? { heading: text, lines: part.lines } : part));
  const tables = parts.map((part) => readTables(part.lines).map(fromTable));
  const risks = [...tables.flat(2), ...fromLabels(texts, faults)];
  if (parts.some(({ lines }) => lines.some((line) => bareDelimiter.test(line)))) {
    faults.add("a table among the risks has rows without a bar at their start; begin each with one", "risks");
  }
  if (risks.length === 0) {
    if (
      !saysNoRisk(section) &&
      parts.some(({ heading, lines }) => heading !== undefined || lines.length > 0)
    ) {
      faults.add(`no line "Risk: …" could be read; ${advice}`, "risks");
    }
    return risks;
  }
  parts.forEach(({ heading, lines }, index) => {
    const found = tables[index] ?? [];
    if (found.some((table) => table.length === 0)) {
      faults.add(`a table among the risks has other columns or no rows; ${advice}`, "risks");
    }
    // Text above the first inner heading is an introduction, and a heading above another one names a group.
    if (heading === undefined || (lines.length === 0 && index < parts.length - 1)) return;
    const isRead = found.length > 0 || texts[index]?.some((line) => riskLabel(line) !== undefined) === true;
    if (!isRead && !isRatingAlone(heading, lines)) {
      faults.add(`no risk could be read below the heading "${heading.slice(0, 100)}"; ${advice}`, "risks");
    }
  });
  return risks;
}

/**
 * Reads the risks of a card's risk sections: pairs of `Risk:` and `Mitigation:`, in lines or headings, or a table
 * with these columns.
 */
export function readRisks(sections: readonly Section[], faults: FaultList): readonly CardRisk[] {
  const open = sections.flatMap((section) => fromSection(section, faults));
  const maxRisks = 1_000;
  if (open.length > maxRisks) faults.add(`more than ${maxRisks} risks`, "risks");
  const text = (parts: readonly string[]): string => faults.bounded(parts.join(" ").trim(), "risks");
  return open.slice(0, maxRisks).map((risk) => ({
    ...defined({ id: risk.id }),
    text: text(risk.text),
    ...(risk.mitigation === undefined ? {} : { mitigation: text(risk.mitigation) }),
  }));
}
