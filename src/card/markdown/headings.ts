import { listItem, sectionKey, type Heading } from "./sections.ts";

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

/** The words of a heading: `3. ⚠️ risk(s) & mitigations` is `risks and mitigations`. */
const wordsOf = (key: string): string =>
  key
    .replaceAll("(s)", "s")
    .replace(/[&+/]/g, " and ")
    .replace(/[^\p{L}]+/gu, " ")
    .trim();

/** A whole heading that names a risk section. */
const riskName = /^(?:known )?(?:risks?(?:(?: and)? mitigations?)?|mitigations?)$/;

/** Words about risks within a heading. A risk level, risk score or risk engine is not about risks. */
const aboutRisks =
  /\b(?:risks|mitigations?)\b|\brisk(?= (?:and|or|mitigation|assessment|analysis|register|factors|management|considerations|disclosure|summary|statement|notes|warning|notice)\b|$)/;

/**
 * The field of the section below a heading. Any heading with a word about risks begins a risk section: otherwise an
 * unusual name would pass for a card without risks. The title needs the whole name: the skill may be about risks.
 */
export function fieldUnder({ key, isTitle }: Heading): Field | undefined {
  const field = fields.get(key);
  if (field !== undefined || others.has(key)) return field;
  return (isTitle ? riskName : aboutRisks).test(wordsOf(key)) ? "risks" : undefined;
}

/** Whether the heading is spelt as in the format: a second one of its kind is then a repetition. */
export const isUsual = ({ key }: Heading): boolean => fields.has(key);

/** Whether the heading begins a section. A heading about risks within a risk section does not. */
export function opensSection(heading: Heading, outer?: Heading): boolean {
  const field = fieldUnder(heading);
  if (field === undefined) return others.has(heading.key);
  return field !== "risks" || outer === undefined || fieldUnder(outer) !== "risks";
}

/**
 * Whether a line of text names risks as a heading would: an underlined, bold or HTML heading, or the head of a table.
 * Items of lists do not count.
 */
export const looksLikeRiskHeading = (line: string): boolean =>
  line.length <= 200 &&
  listItem(line) === undefined &&
  riskName.test(wordsOf(sectionKey(line.replace(/<[^<>]*>/g, " "))));
