import type { SkillFile } from "../../skill/skill.ts";
import { addedDifferences, listedDifferences, type Difference } from "../compare.ts";
import { malformed } from "../signature-error.ts";
import { trustCardFileName, type TrustCard } from "./card-file.ts";
import {
  cardManifestFileName,
  digestOfListing,
  isByProduct,
  listFiles,
  readListing,
  type CardListing,
} from "./listing.ts";
import { cardBundleFileName } from "./signing.ts";

/** How a tree stands to a card. */
export interface CardComparison {
  readonly differences: readonly Difference[];
  /** What the card's digest leaves out and nobody signed: the card itself, and its pictures. */
  readonly unlisted: readonly string[];
}

type Files = ReadonlyMap<string, SkillFile>;

/** The list beside the card, where there is one: the very list that the digest is over. */
function manifestOf(card: TrustCard, files: Files): CardListing | undefined {
  const file = files.get(cardManifestFileName);
  if (file === undefined) return undefined;
  const listing = readListing(file.bytes);
  if (digestOfListing(listing) !== card.digest) {
    throw malformed(
      `${cardManifestFileName} is not the list that the card's target_digest is over: mount the published files, or make the card anew`,
    );
  }
  return listing;
}

function assertCount(card: TrustCard, listing: CardListing): void {
  if (listing.size === card.files) return;
  throw malformed(`the card says that its digest is over ${card.files} files, which are ${listing.size}`);
}

/** Without the list it cannot be told which file differs, only that the card is about others. */
function compareDigest(card: TrustCard, listing: CardListing): readonly Difference[] {
  const found = digestOfListing(listing);
  if (found !== card.digest)
    return [{ path: trustCardFileName, change: "modified", signed: card.digest, found }];
  assertCount(card, listing);
  return [];
}

/**
 * Holds a tree against a card: every listed file there and equal, and nothing else but the files that were checked with
 * the card and its by-products. The format's own tool passes over more: see `isByProduct`.
 * @throws SignatureError MANIFEST_MALFORMED where list and card contradict each other
 */
export function compareTree(card: TrustCard, files: Files): CardComparison {
  const manifest = manifestOf(card, files);
  const listing = manifest ?? listFiles(files);
  if (manifest !== undefined) assertCount(card, manifest);
  const isExpected = (path: string): boolean =>
    listing.has(path) ||
    isByProduct(path) ||
    path === cardManifestFileName ||
    (path === cardBundleFileName && card.signing?.scheme === "sigstore-keyless");
  return {
    differences: [
      ...(manifest === undefined ? compareDigest(card, listing) : listedDifferences(files, listing)),
      ...addedDifferences(files, isExpected),
    ],
    unlisted: [...files.keys()].filter((path) => isByProduct(path) && !listing.has(path)).sort(),
  };
}
