import { riskLabel } from "./risk-label.ts";
import { listItem, type Heading } from "./sections.ts";
import { isTableRow } from "./table.ts";
import { behindMarks, isRatingField, mayBeAboutRisk, speaksOfRisk, wordsOf } from "./words.ts";

/** Headings by field; the first spelling is the generator's, the others are people's. */
const headings = {
  description: ["description", "overview"],
  owner: ["owner", "owner(s)", "owners", "third-party community consideration"],
  license: ["license/terms of use", "license", "license(s)", "licence", "terms of use"],
  useCase: ["use case", "use case(s)", "use cases"],
  geography: ["deployment geography for use", "deployment geography"],
  requirements: ["requirements/dependencies", "requirements", "dependencies"],
  risks: ["known risks and mitigations", "risks and mitigations", "known risks", "risks"],
  limitations: ["known technical limitations", "technical limitations", "known limitations", "limitations"],
  permissions: ["permissions"],
  references: ["reference(s)", "references", "reference"],
  version: ["skill version(s)", "skill version", "version(s)", "version"],
} as const;

/** A field of the card that a section can hold. */
export type Field = keyof typeof headings;

const fields = new Map<string, Field>(
  (Object.keys(headings) as Field[]).flatMap((field) => headings[field].map((key) => [key, field] as const)),
);

/** The generator's other sections: the model keeps nothing of them. */
const others = new Set([
  "skill card",
  "skill output",
  "evaluation agents used",
  "evaluation tasks",
  "evaluation metrics used",
  "evaluation results",
  "testing completed",
  "ethical considerations",
  "compatible agents",
  "release management",
]);

/** The name of a risk section in few words: `risks and mitigations`, `security risks`. */
const riskName =
  /^(?:(?:known )?(?:risks?(?:(?: and)? mitigations?)?|mitigations?)|(?:\p{L}+ ){1,2}risks(?: and mitigations)?)$/u;

/** Whether a short text names a risk section by itself, as a heading, the title or a cell would. */
export const namesRisks = (text: string): boolean => text.length <= 200 && riskName.test(wordsOf(text));

/**
 * The field of the section below a heading. Any heading with a word about risks begins a risk section: otherwise an
 * unusual name would pass for a card without risks. The title needs the whole name: the skill may be about risks.
 */
export function fieldUnder({ text, key, isTitle }: Heading): Field | undefined {
  const field = fields.get(key);
  if (field !== undefined || others.has(key)) return field;
  return (isTitle ? namesRisks(text) : speaksOfRisk(wordsOf(text))) ? "risks" : undefined;
}

/** Whether the heading is spelt as in the format: a second one of its kind is then a repetition. */
export const isUsual = ({ key }: Heading): boolean => fields.has(key);

/** Whether the heading begins a section. A heading about risks within a risk section does not. */
export function opensSection(heading: Heading, outer?: Heading): boolean {
  const field = fieldUnder(heading);
  if (field === undefined) return others.has(heading.key);
  return field !== "risks" || outer === undefined || fieldUnder(outer) !== "risks";
}

/** A line that is a heading in HTML, or by `#` within a quote, a list, code, or without a blank. */
const headingMark = /^(?:#{1,6}(?!#)|<(?:h[1-6]|summary|caption|legend|dt|th)\b)/i;

const bold = /^(?:(\*\*|__)(?:(?!\1).)+\1|<(b|strong)\b(?:(?!<\/\2).)+<\/\2>)(?:<[^<>]*>|[\s:：.*_])*$/i;

/** Whether the line looks like a heading though `#` does not begin it: bold, in HTML, or within a quote, list or code. */
const isMarked = (line: string): boolean => headingMark.test(line) || (line.length <= 300 && bold.test(line));

/**
 * Whether a line, or an underlined paragraph, looks like a heading that is about risks: underlined, bold or in HTML, or a
 * line that names risks and nothing else. Items of lists must be bold or underlined for that.
 */
export function looksLikeRiskHeading(paragraph: readonly string[], isUnderlined: boolean): boolean {
  const lines = isUnderlined ? paragraph : paragraph.slice(-1);
  if (!lines.some(mayBeAboutRisk) || lines.some(isRatingField)) return false;
  if (isUnderlined) {
    return speaksOfRisk(wordsOf(lines.join(" "))) && !lines.some((line) => riskLabel(line) !== undefined);
  }
  const [line = ""] = lines;
  const text = behindMarks(line);
  if (isMarked(text)) return speaksOfRisk(wordsOf(text));
  const isItemOrRow = listItem(line) !== undefined || isTableRow(line);
  return !isItemOrRow && namesRisks(text) && riskLabel(line) === undefined;
}
