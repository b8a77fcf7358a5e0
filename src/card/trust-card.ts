import { defined } from "../text/fields.ts";
import { SignatureError } from "../signature/signature-error.ts";
import {
  hasCardData,
  readTrustCard,
  trustCardFileName,
  type TrustCard,
} from "../signature/trust-card/card-file.ts";
import { cardManifestFileName, digestOfListing, readListing } from "../signature/trust-card/listing.ts";
import type { Skill } from "../skill/skill.ts";
import { FaultList } from "./fault-list.ts";
import type { CardFault, PermissionManifest, SkillCard, SkillFrontmatter } from "./skill-card.ts";

/** `CARD.md` as a trust card: in the model, in its own form, and with its faults. */
export interface TrustCardReading {
  readonly card?: SkillCard;
  readonly source?: TrustCard;
  readonly faults: readonly CardFault[];
}

function permissionsOf({ capability }: TrustCard): readonly string[] {
  const { network, shell, filesystem_writes: writes } = capability;
  const silent =
    network === undefined || network === null || network === "none" || network === "see-manifest";
  return [
    ...(silent ? [] : ["network"]),
    ...(shell === true ? ["shell"] : []),
    ...(writes === true ? ["filesystem:write"] : []),
  ];
}

function referencesOf({ capability }: TrustCard, faults: FaultList): SkillCard["references"] {
  const sources: unknown = capability["declared_external_sources"];
  const urls = Array.isArray(sources) ? sources.filter((source) => typeof source === "string") : [];
  return faults.boundedList(urls, "declared_external_sources", 2_048).map((url) => ({ url }));
}

function toCard(source: TrustCard, faults: FaultList): SkillCard {
  const { version, description, riskTier, expires } = source;
  return {
    format: "CARD.md",
    path: faults.path,
    name: faults.bounded(source.title, "title"),
    ...(version === undefined ? {} : { version: faults.bounded(version, "target_version") }),
    ...(description === undefined ? {} : { description: faults.bounded(description, "description") }),
    ...(riskTier === undefined ? {} : { riskTier: faults.bounded(riskTier, "risk_tier") }),
    ...defined({ expires }),
    risks: [],
    limitations: [],
    permissions: permissionsOf(source),
    dependencies: [],
    references: referencesOf(source, faults),
  };
}

/**
 * Reads a trust card, signed or not. Its own signature does not cover the words: policies believe them only under
 * another signature. A CARD.md without the format's comment is no card, and no fault.
 */
export function readTrustCardWords({ files }: Skill): TrustCardReading {
  const file = files.get(trustCardFileName);
  const faults = new FaultList(trustCardFileName);
  if (file === undefined || !hasCardData(file.bytes)) return { faults: faults.all };
  try {
    const source = readTrustCard(file.bytes);
    return { source, card: toCard(source, faults), faults: faults.all };
  } catch (cause) {
    if (!(cause instanceof SignatureError)) throw cause;
    faults.add(cause.message);
    return { faults: faults.all };
  }
}

/** The contradiction between card and list, or between list and files. Files added since are none. */
function listingFault({ digest }: TrustCard, { files }: Skill): string | undefined {
  const file = files.get(cardManifestFileName);
  if (file === undefined) return undefined;
  try {
    const listing = readListing(file.bytes);
    if (digestOfListing(listing) !== digest)
      return `target_digest is not over the list in ${cardManifestFileName}`;
    const [changed] = [...listing].find(([path, listed]) => files.get(path)?.sha256 !== listed) ?? [];
    return changed === undefined
      ? undefined
      : `the card is about another ${JSON.stringify(changed.slice(0, 100))}`;
  } catch (cause) {
    if (cause instanceof SignatureError) return cause.message;
    throw cause;
  }
}

function capabilityFault(
  { capability }: TrustCard,
  manifest: PermissionManifest | undefined,
): string | undefined {
  const { source, manifest_declared: declared } = capability;
  if (manifest !== undefined && source === "inferred")
    return `says that nothing is declared, but ${manifest.path} is there`;
  return manifest === undefined && declared === "permissions.yaml"
    ? "names permissions.yaml, which is not there or cannot be read"
    : undefined;
}

/** Contradictions between a trust card and the files that its tool made it from. */
export function trustCardConflicts(
  source: TrustCard,
  skill: Skill,
  frontmatter: SkillFrontmatter | undefined,
  manifest: PermissionManifest | undefined,
): readonly CardFault[] {
  const faults = new FaultList(trustCardFileName);
  const say = (found: string | undefined, field: string): void => {
    if (found !== undefined) faults.add(`${found}; make the card anew`, field);
  };
  const differs = (said: string | undefined, other: string | undefined): string | undefined =>
    said === undefined || other === undefined || said === other
      ? undefined
      : `says ${JSON.stringify(said.slice(0, 64))}, but SKILL.md says ${JSON.stringify(other.slice(0, 64))}`;
  say(differs(source.title, frontmatter?.name), "title");
  say(differs(source.version, frontmatter?.version), "target_version");
  say(capabilityFault(source, manifest), "capability");
  say(listingFault(source, skill), "target_digest");
  return faults.all;
}
