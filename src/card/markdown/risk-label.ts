import { behindMarks, isRatingField, mayBeAboutRisk, speaksOfRisk, visible, wordsOf } from "./words.ts";

/** The label that begins a line, with the text behind it. */
export interface RiskLabel {
  readonly kind: "risk" | "mitigation";
  readonly id?: string;
  readonly text: string;
}

/** `Risk: …`, `Risk 2: …`, `Mitigation (R1): …`: the word, the risk's name. */
const usual = /^(?:known )?(risk|mitigation)s?\s{0,4}(?:#\s{0,4})?\(?([\w.-]{1,32})?\)?\s{0,4}[:：]\s*/i;

/** Marks that end a label: a colon, and those that people write in its place. */
const separators = [/[:：]/, /\s[-–—]{1,3}>?(?=\s|$)|[–—→=|;]/] as const;

/** `Risk 1. …`, `Risk) …`: with a capital, for a line of prose may go on with `risk. …`. */
const numbered = /^(?:Known )?(?:Risks?|RISKS?)\s{0,4}[#(]{0,2}\d{0,3}[.)!?]{1,2}\s+(?=\S)/;

/** A line that begins in bold: `**Data loss risk** It may …`. */
const boldLead = /^(?:\*\*|__|<(?:b|strong)(?:\s[^<>]*)?>)(.{1,80}?)(?:\*\*|__|<\/(?:b|strong)>)/i;

const count = (words: string): number => words.split(" ").length;

/** The kind of a label of these words; a risk that speaks of its mitigation is a risk. */
function kindOf(words: string, most: number): RiskLabel["kind"] | undefined {
  if (/^(?:risks? )?mitigations?$/.test(words)) return "mitigation";
  return count(words) <= most && speaksOfRisk(words) ? "risk" : undefined;
}

/** Reads a label of any of the unusual forms. */
function unusual(line: string, text: string): RiskLabel | undefined {
  for (const [index, separator] of separators.entries()) {
    const mark = separator.exec(text.slice(0, 120));
    if (mark === null) continue;
    const kind = kindOf(wordsOf(text.slice(0, mark.index)), index === 0 ? 5 : 3);
    if (kind !== undefined) return { kind, text: text.slice(mark.index + mark[0].length).trim() };
  }
  const number = numbered.exec(text)?.[0];
  if (number !== undefined) return { kind: "risk", text: text.slice(number.length) };
  const lead = boldLead.exec(line);
  const kind = lead?.[1] === undefined ? undefined : kindOf(wordsOf(lead[1]), 4);
  if (lead === null || kind === undefined) return undefined;
  return { kind, text: visible(line.slice(lead[0].length)).trim() };
}

/**
 * Reads the label of a risk or mitigation at the start of a line, whatever marks stand before it: `> *Risk:*`,
 * `Security risk (R1) – …`, `**Data loss risk** …`. A rating such as `Risk tier: low` is none.
 */
export function riskLabel(raw: string): RiskLabel | undefined {
  if (!mayBeAboutRisk(raw) || isRatingField(raw)) return undefined;
  const line = behindMarks(raw);
  const text = visible(line).trim();
  const label = usual.exec(text);
  const [all = "", word = "", id] = label ?? [];
  if (label === null || /mitigat|risk/i.test(id ?? "")) return unusual(line, text);
  const kind = word.toLowerCase() === "risk" ? "risk" : "mitigation";
  const rest = text.slice(all.length);
  return id === undefined ? { kind, text: rest } : { kind, id, text: rest };
}

const laterRisk =
  /(?<=[^\p{L}\s])\s+(?=[*_]{0,3}(?:Risks?|RISKS?)(?:\s{1,4}#?\w{1,8})?[*_]{0,3}\s{0,4}[:：])/gu;

/** Cuts a line before each risk behind other text, which marks of quotes and lists are not. */
function cutAtRisks(line: string): readonly string[] {
  const [first = "", ...rest] = line.split(laterRisk);
  const [second, ...others] = rest;
  return second === undefined || /\p{L}/u.test(first) ? [first, ...rest] : [`${first} ${second}`, ...others];
}

/** Splits a line that holds several labels: `Risk: a. Mitigation: b. Risk: c`. */
export const splitAtLabels = (line: string): readonly string[] =>
  cutAtRisks(line).flatMap((piece) => {
    const at = /\bmitigations?[*_]{0,3}\s{0,4}[:：]/i.exec(piece)?.index ?? 0;
    const isRisk = at > 0 && riskLabel(piece.slice(0, at))?.kind === "risk";
    return isRisk ? [piece.slice(0, at).trim(), piece.slice(at)] : [piece];
  });
