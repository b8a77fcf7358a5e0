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

/** Result of comparing a tree with a card. */
export interface CardComparison {
  readonly differences: readonly Difference[];
  /** Files that are outside the card's digest and so not signed: the card and its by-products. */
  readonly unlisted: readonly string[];
}

type Files = ReadonlyMap<string, SkillFile>;

/** Reads the list beside the card, if present. It must be the one that the card's digest covers. */
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

/**
 * Compares the tree by the digest alone: without the list the differing file is unknown, so the card is reported as
 * modified.
 */
function compareDigest(card: TrustCard, listing: CardListing): readonly Difference[] {
  const found = digestOfListing(listing);
  if (found !== card.digest)
    return [{ path: trustCardFileName, change: "modified", signed: card.digest, found }];
  assertCount(card, listing);
  return [];
}

/**
 * Compares a tree with a card: every listed file must be there and equal, and no other but the card's own files and
 * by-products. The format's own tool ignores more: see `isByProduct`.
 * @throws SignatureError MANIFEST_MALFORMED if list and card contradict each other
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
