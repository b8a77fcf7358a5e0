import type { Skill, SkillFile } from "../skill/skill.ts";
import { FaultList } from "./fault-list.ts";
import { readFrontmatter } from "./frontmatter.ts";
import { readMarkdownCard } from "./markdown-card.ts";
import type { CardEvidence, CardFault, CardFormat, SkillCard, SkillFrontmatter } from "./skill-card.ts";
import { hasControl, readCardText } from "./text.ts";
import { readYamlCard } from "./yaml-card.ts";

type Reader = (text: string, faults: FaultList) => SkillCard | undefined;

/** Card formats by the name that their file has in the skill's own folder, the preferred one first. */
const formats: readonly (readonly [CardFormat, Reader])[] = [
  ["skill-card.md", readMarkdownCard],
  ["skill_card.yaml", readYamlCard],
];

interface CardReading {
  readonly card?: SkillCard;
  readonly faults: readonly CardFault[];
}

function readOne(file: SkillFile, format: CardFormat, reader: Reader): CardReading {
  const faults = new FaultList(format);
  const read = readCardText(file);
  if (typeof read === "string") {
    faults.add(read);
    return { faults: faults.all };
  }
  if (hasControl(read.text)) faults.add("contains a control character; remove it");
  const card = reader(read.text, faults);
  return card === undefined ? { faults: faults.all } : { card, faults: faults.all };
}

/** What two cards of one skill say of the same thing. */
function differences(preferred: SkillCard, other: SkillCard): readonly CardFault[] {
  const license = (card: SkillCard): string | undefined => card.license?.spdx ?? card.license?.raw;
  const compared = [
    ["license", license(preferred), license(other)],
    ["owner", preferred.owner, other.owner],
    ["version", preferred.version, other.version],
  ] as const;
  return compared
    .filter(([, left, right]) => left !== undefined && right !== undefined && left !== right)
    .map(([field, left, right]) => {
      const [here, there] = [left, right].map((each) => JSON.stringify((each ?? "").slice(0, 64)));
      return {
        path: other.path,
        field,
        detail: `says ${there ?? ""}, but ${preferred.path} says ${here ?? ""}; make them agree (${preferred.path} counts)`,
      };
    });
}

const union = (...lists: readonly (readonly string[])[]): readonly string[] => [...new Set(lists.flat())];

/** One card out of all: the preferred one, with every risk and every permission that any of them admits to. */
function combine(
  cards: readonly SkillCard[],
  frontmatter: SkillFrontmatter | undefined,
): SkillCard | undefined {
  const [preferred, ...others] = cards;
  if (preferred === undefined) return undefined;
  const name = preferred.name ?? frontmatter?.name;
  return {
    ...preferred,
    ...(name === undefined ? {} : { name }),
    risks: cards.flatMap((card) => card.risks),
    permissions: union(
      preferred.permissions,
      ...others.map((card) => card.permissions),
      frontmatter?.allowedTools ?? [],
    ),
  };
}

function misnamed(card: SkillCard, folder: string): readonly CardFault[] {
  if (card.name === undefined || card.name === folder) return [];
  const [written, found] = [card.name, folder].map((each) => JSON.stringify(each.slice(0, 64)));
  const detail = `${written ?? ""} is not the folder's name ${found ?? ""}; rename one of them`;
  return [{ path: card.path, field: "name", detail }];
}

/**
 * What a skill says of itself: its card, `skill-card.md` or `skill_card.yaml`, and SKILL.md's frontmatter. Where there
 * are both cards, skill-card.md is preferred, both are read, and a disagreement about licence, owner or version is a
 * fault. Never throws: whatever is wrong is a fault. Signatures are not looked at (`isCovered`).
 */
export function readCard(skill: Skill): CardEvidence {
  const readings = formats.flatMap(([format, reader]) => {
    const file = skill.files.get(format);
    return file === undefined ? [] : [readOne(file, format, reader)];
  });
  const { frontmatter, faults } = readFrontmatter(skill);
  const cards = readings.map((reading) => reading.card).filter((each) => each !== undefined);
  const [preferred, ...others] = cards;
  const conflicts = preferred === undefined ? [] : others.flatMap((other) => differences(preferred, other));
  const card = combine(cards, frontmatter);
  return {
    ...(card === undefined ? {} : { card }),
    ...(frontmatter === undefined ? {} : { frontmatter }),
    faults: [
      ...readings.flatMap((reading) => reading.faults),
      ...cards.flatMap((each) => misnamed(each, skill.name)),
      ...conflicts,
      ...faults,
    ],
  };
}
