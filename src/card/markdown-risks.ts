import type { FaultList } from "./fault-list.ts";
import { listItem } from "./markdown.ts";
import type { CardRisk } from "./skill-card.ts";

interface OpenRisk {
  readonly id?: string;
  readonly text: string[];
  mitigation?: string[];
}

/** `Risk: …`, `- **Risk 2:** …`, `Mitigation (R1): …`: the word, what names the risk, and the text. */
const labelled = /^(risk|mitigation)s?\s{0,4}(?:#\s{0,4})?\(?([\w.-]{1,32})?\)?\s{0,4}:\s*/i;

const plain = (line: string): string =>
  (listItem(line) ?? line).replaceAll("**", "").replaceAll("__", "").trim();

/** A line that holds both words is two lines. */
function split(line: string): readonly string[] {
  const at = /\bmitigations?\s{0,4}:/i.exec(line)?.index ?? 0;
  return at > 0 && /^risk/i.test(line) ? [line.slice(0, at).trim(), line.slice(at)] : [line];
}

function fromLabels(lines: readonly string[], faults: FaultList): readonly OpenRisk[] {
  const risks: OpenRisk[] = [];
  let target: string[] | undefined;
  for (const line of lines.flatMap((each) => split(plain(each)))) {
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
  return risks;
}

const cells = (line: string): readonly string[] =>
  line
    .replace(/^\|/, "")
    .replace(/\|$/, "")
    .split("|")
    .map((cell) => cell.replaceAll("**", "").trim());

/** A table with the columns Risk and Mitigation, as hand-written cards have it. */
function fromTable(lines: readonly string[]): readonly OpenRisk[] {
  const rows = lines.filter((line) => line.startsWith("|")).map(cells);
  const header = rows[0]?.map((cell) => cell.toLowerCase()) ?? [];
  const risk = header.findIndex((cell) => /^risks?$/.test(cell));
  const mitigation = header.findIndex((cell) => /^mitigations?$/.test(cell));
  if (risk === -1) return [];
  return rows
    .slice(1)
    .filter((row) => !row.every((cell) => /^:?-+:?$/.test(cell)))
    .map((row) => ({ text: [row[risk] ?? ""], mitigation: [row[mitigation] ?? ""] }));
}

/**
 * Reads the risks of a card's "Known Risks and Mitigations": pairs of `Risk:` and `Mitigation:` lines, with the lines
 * that continue them, or a table. Text in which no risk can be found is a fault, so that it cannot pass for "no risks".
 */
export function readRisks(lines: readonly string[], faults: FaultList): readonly CardRisk[] {
  const table = fromTable(lines);
  const open = table.length > 0 ? table : fromLabels(lines, faults);
  if (open.length === 0 && lines.length > 0) {
    faults.add('no line "Risk: …" could be read; write "Risk: …" and "Mitigation: …"', "risks");
  }
  const maxRisks = 1_000;
  if (open.length > maxRisks) faults.add(`more than ${maxRisks} risks`, "risks");
  const text = (parts: readonly string[]): string => faults.bounded(parts.join(" ").trim(), "risks");
  return open.slice(0, maxRisks).map((risk) => ({
    ...(risk.id === undefined ? {} : { id: risk.id }),
    text: text(risk.text),
    ...(risk.mitigation === undefined ? {} : { mitigation: text(risk.mitigation) }),
  }));
}
