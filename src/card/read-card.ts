import { defined } from "../text/fields.ts";
import type { Skill, SkillFile } from "../skill/skill.ts";
import { cardDifferences } from "./differences.ts";
import { FaultList } from "./fault-list.ts";
import { readFrontmatter } from "./frontmatter.ts";
import { readMarkdownCard } from "./markdown/card.ts";
import { readPermissionManifest } from "./permission-manifest.ts";
import type { CardEvidence, CardFault, CardFormat, SkillCard } from "./skill-card.ts";
import { readSkillcardYaml } from "./skillcard-yaml.ts";
import { hasControl, readCardText } from "./text.ts";
import { readTrustCardWords, trustCardConflicts } from "./trust-card.ts";
import { readYamlCard } from "./yaml-card.ts";

type Reader = (text: string, faults: FaultList) => SkillCard | undefined;

/** Card formats by file name in the skill's folder, in order of preference; CARD.md comes last. */
const formats: readonly (readonly [CardFormat, Reader])[] = [
  ["skill-card.md", readMarkdownCard],
  ["skill_card.yaml", readYamlCard],
  ["SKILLCARD.yaml", readSkillcardYaml],
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

const union = (...lists: readonly (readonly string[])[]): readonly string[] => [...new Set(lists.flat())];

/** Combines all cards: the preferred one, with the risks and permissions of every file. */
function combine(cards: readonly SkillCard[], said: Omit<CardEvidence, "faults">): SkillCard | undefined {
  const [preferred, ...others] = cards;
  if (preferred === undefined) return undefined;
  const name = preferred.name ?? said.frontmatter?.name;
  return {
    ...preferred,
    ...defined({ name }),
    risks: cards.flatMap((card) => card.risks),
    permissions: union(
      preferred.permissions,
      ...others.map((card) => card.permissions),
      said.manifest?.permissions ?? [],
      said.frontmatter?.allowedTools ?? [],
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
 * Reads a skill's descriptions of itself: cards, `permissions.yaml`, and SKILL.md's frontmatter. All cards are read,
 * and the first of `formats` is preferred. Cards that disagree about licence, owner or version are a fault, and so is
 * a trust card that contradicts the files it was made from. Signatures are not looked at: see `isCovered`. Never
 * throws: every problem is a fault.
 */
export function readCard(skill: Skill): CardEvidence {
  const trustCard = readTrustCardWords(skill);
  const readings: readonly CardReading[] = [
    ...formats.flatMap(([format, reader]) => {
      const file = skill.files.get(format);
      return file === undefined ? [] : [readOne(file, format, reader)];
    }),
    trustCard,
  ];
  const { frontmatter, faults } = readFrontmatter(skill);
  const { manifest, faults: manifestFaults } = readPermissionManifest(skill);
  const cards = readings.map((reading) => reading.card).filter((each) => each !== undefined);
  const [preferred, ...others] = cards;
  const said = {
    ...defined({ frontmatter, manifest }),
  };
  const card = combine(cards, said);
  const { source } = trustCard;
  return {
    ...defined({ card }),
    ...said,
    faults: [
      ...readings.flatMap((reading) => reading.faults),
      ...cards.flatMap((each) => misnamed(each, skill.name)),
      ...(preferred === undefined ? [] : others.flatMap((other) => cardDifferences(preferred, other))),
      ...(source === undefined ? [] : trustCardConflicts(source, skill, frontmatter, manifest)),
      ...manifestFaults,
      ...faults,
    ],
  };
}
