import { listItem, sectionKey, type Heading } from "./sections.ts";

/** Headings that are read, by what they hold; the first spelling is the generator's, the others are people's. */
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

/** What a section may hold. */
export type Field = keyof typeof headings;

const fields = new Map<string, Field>(
  (Object.keys(headings) as Field[]).flatMap((field) => headings[field].map((key) => [key, field] as const)),
);

/** Sections that the generator writes and that hold nothing the model keeps. */
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

/** The key's words alone: `3. ⚠️ risk(s) & mitigations` is `risks and mitigations`. */
const wordsOf = (key: string): string =>
  key
    .replaceAll("(s)", "s")
    .replace(/[&+/]/g, " and ")
    .replace(/[^\p{L}]+/gu, " ")
    .trim();

/** The usual names of the risk section, as a whole heading. */
const riskName = /^(?:known )?(?:risks?(?:(?: and)? mitigations?)?|mitigations?)$/;

/** What a heading about risks has in it. A risk level, risk score or risk engine is none. */
const aboutRisks =
  /\b(?:risks|mitigations?)\b|\brisk(?= (?:and|or|mitigation|assessment|analysis|register|factors|management|considerations|disclosure|summary|statement|notes|warning|notice)\b|$)/;

/**
 * What the section below a heading holds. Risks are recognized by their word in any heading but the title, which may be the
 * name of a skill about risks: a risk section under an unusual name would pass for a card without risks.
 */
export function fieldUnder({ key, isTitle }: Heading): Field | undefined {
  const field = fields.get(key);
  if (field !== undefined || others.has(key)) return field;
  return (isTitle ? riskName : aboutRisks).test(wordsOf(key)) ? "risks" : undefined;
}

/** Is the heading spelt as the format has it, so that a second one of its kind is a repetition. */
export const isUsual = ({ key }: Heading): boolean => fields.has(key);

/** Does a section begin at the heading. A heading about risks within a risk section belongs to that one. */
export function opensSection(heading: Heading, outer?: Heading): boolean {
  const field = fieldUnder(heading);
  if (field === undefined) return others.has(heading.key);
  return field !== "risks" || outer === undefined || fieldUnder(outer) !== "risks";
}

/**
 * Does a line of text name risks as a heading would: underlined, bold and HTML headings do, and the head of a table. An item of a
 * list does not.
 */
export const looksLikeRiskHeading = (line: string): boolean =>
  line.length <= 200 &&
  listItem(line) === undefined &&
  riskName.test(wordsOf(sectionKey(line.replace(/<[^<>]*>/g, " "))));
