import { defined } from "../../text/fields.ts";
import type { FaultList } from "../fault-list.ts";
import { readLicense } from "../license/license.ts";
import { fieldUnder, isUsual, looksLikeRiskHeading, opensSection, type Field } from "./headings.ts";
import { firstLink } from "./link.ts";
import { readRisks } from "./risks.ts";
import { listItem, readSections, type Section } from "./sections.ts";
import { strayRisk } from "./stray-risk.ts";
import type { SkillCard } from "../skill-card.ts";

type Fields = Readonly<Partial<Record<Field, readonly string[]>>>;

function collect(sections: readonly Section[], faults: FaultList): Fields {
  const fields: Partial<Record<Field, readonly string[]>> = {};
  const seen = new Set<Field>();
  for (const section of sections) {
    const field = fieldUnder(section);
    if (field === undefined) continue;
    if (isUsual(section) && seen.has(field)) {
      faults.add(`the section "${section.key}" repeats an earlier one; keep one of them`, field);
    }
    if (isUsual(section)) seen.add(field);
    fields[field] ??= section.parts.flatMap((part) => part.lines);
  }
  return fields;
}

/**
 * Collects risks from every section that holds them, for they must not be missed; other fields take the first section
 * only.
 */
function collectRisks(sections: readonly Section[], faults: FaultList): SkillCard["risks"] {
  const own = sections.filter((section) => fieldUnder(section) === "risks");
  const others = sections.filter((section) => fieldUnder(section) !== "risks");
  for (const stray of others.map(strayRisk).filter((line) => line !== undefined)) {
    faults.add(
      `the line "${stray.slice(0, 100)}" begins no section of risks, though it looks like one, or like a risk; write the heading "## Known Risks and Mitigations" above the risks`,
      "risks",
    );
  }
  return readRisks(own, faults);
}

const postures = [
  ["commercial", /\bthis skill is ready for commercial(?:\/non-?commercial)? use\b\.?/i],
  ["research", /\bthis skill is for research and development only\b\.?/i],
  ["demonstration", /\bthis skill is for demonstration purposes(?: and not for production usage)?\b\.?/i],
] as const;

/** Takes the sentence `This skill is ready for …` out of the description, as the posture. */
function readDescription(text: string, faults: FaultList): Pick<SkillCard, "description" | "posture"> {
  const found = postures.filter(([, sentence]) => sentence.test(text));
  if (found.length > 1)
    faults.add("says that the skill is ready for two different uses; keep one", "posture");
  let description = text;
  for (const [, sentence] of found) description = description.replace(sentence, " ");
  description = description.replace(/\s+/g, " ").trim();
  const [posture] = found[0] ?? [];
  return posture === undefined ? { description } : { description, posture };
}

const unlinked = (text: string): string => {
  const link = firstLink(text);
  return link?.label !== undefined && text.startsWith("[") && text.endsWith(")") ? link.label : text;
};

function readCredentials(lines: readonly string[], faults: FaultList): SkillCard["credentials"] {
  const label = /^requires api key or external credential(?:\(s\)|s)?\s{0,4}:/i;
  const line = lines
    .map((each) => (listItem(each) ?? each).replaceAll("**", ""))
    .find((each) => label.test(each));
  if (line === undefined) return undefined;
  const value = line.replace(label, "").replace(/[[\]]/g, "").trim().toLowerCase();
  if (value === "not specified" || value === "") return "unspecified";
  const word = /^(?:yes|no|optional)\b/.exec(value)?.[0];
  if (word === "yes" || word === "no" || word === "optional") return word;
  faults.add("write Yes, No, Optional or Not Specified", "credentials");
  return "unspecified";
}

/** `1.0.0 (source: frontmatter)` is version 1.0.0. */
function readVersion(lines: readonly string[]): string {
  const line = (lines[0] === undefined ? undefined : (listItem(lines[0]) ?? lines[0])) ?? "";
  const source = line.toLowerCase().indexOf("(source:");
  return (source === -1 ? line : line.slice(0, source)).replaceAll("**", "").trim();
}

const items = (lines: readonly string[]): readonly string[] =>
  lines.map(listItem).filter((item): item is string => item !== undefined && item !== "");

function readReferences(lines: readonly string[], faults: FaultList): SkillCard["references"] {
  const links = lines.map(firstLink).filter((link) => link !== undefined);
  const urls = faults.boundedList(
    links.map((link) => link.url),
    "references",
    2_048,
  );
  return urls.map((url, index) => {
    const label = links[index]?.label;
    return label === undefined ? { url } : { label: faults.bounded(label, "references"), url };
  });
}

/**
 * Reads `skill-card.md`, as NVIDIA's generator writes it (no title, `## Description: <br>`) and as people do. A
 * missing section leaves its field absent, an empty one leaves it empty: policies decide whether that is enough.
 * @returns undefined if the text has no section of a skill card
 */
export function readMarkdownCard(text: string, faults: FaultList): SkillCard | undefined {
  const { sections, faults: problems } = readSections(text, {
    opens: opensSection,
    looksLikeHeading: looksLikeRiskHeading,
  });
  for (const problem of problems) faults.add(problem);
  const fields = collect(sections, faults);
  if (Object.keys(fields).length === 0) {
    faults.add('no section of a skill card could be found; a card begins with "## Description"');
    return undefined;
  }
  const text1 = (field: Field): string | undefined =>
    fields[field] === undefined ? undefined : faults.bounded(fields[field].join(" "), field);
  const description = text1("description");
  const license = text1("license");
  const credentials = readCredentials(fields.requirements ?? [], faults);
  const plain = { owner: text1("owner"), useCase: text1("useCase"), geography: text1("geography") };
  return {
    format: "skill-card.md",
    path: faults.path,
    ...(description === undefined ? {} : readDescription(description, faults)),
    ...(Object.fromEntries(Object.entries(plain).filter(([, value]) => value !== undefined)) as Pick<
      SkillCard,
      "owner" | "useCase" | "geography"
    >),
    ...(fields.version === undefined
      ? {}
      : { version: faults.bounded(readVersion(fields.version), "version") }),
    ...(license === undefined ? {} : { license: readLicense(unlinked(license)) }),
    ...defined({ credentials }),
    risks: collectRisks(sections, faults),
    limitations: faults.boundedList(items(fields.limitations ?? []), "limitations"),
    permissions: faults.boundedList(items(fields.permissions ?? []), "permissions", 512),
    dependencies: faults.boundedList(items(fields.requirements ?? []), "dependencies"),
    references: readReferences(fields.references ?? [], faults),
  };
}
