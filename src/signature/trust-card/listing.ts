import { sha256, type Sha256 } from "../../skill/digest.ts";
import type { Json } from "../../text/json.ts";
import { skillLimits } from "../../skill/limits.ts";
import { pathFault } from "../../skill/path.ts";
import type { SkillFile } from "../../skill/skill.ts";
import { assertFields, assertObject, textOf, readJson } from "../json-fields.ts";
import { malformed } from "../signature-error.ts";
import { quoted } from "../../text/printable.ts";
import { memoizeByObject } from "../../text/memoize-by-object.ts";

/** Path of the list of files that a card's digest covers. */
export const cardManifestFileName = "CARD.manifest.json";

/** Limit of the list, bytes: room for ten thousand files with long names. */
const maxBytes = 2 * 1024 * 1024;

/** Path → SHA-256, lower-case hex, in the order of the digest: by code points. */
export type CardListing = ReadonlyMap<string, string>;

const skipped: ReadonlySet<string> = new Set([".git", ".DS_Store"]);
const suffixes: readonly string[] = [".manifest.json", ".sigstore", ".key", ".pem"];

const baseName = (path: string): string => path.slice(path.lastIndexOf("/") + 1);

/**
 * Whether the format leaves a file out of its digest: by the last component of its name in any folder, and everything
 * below `.git`.
 */
export function isLeftOut(path: string): boolean {
  const name = baseName(path);
  return (
    name === "CARD.md" ||
    name === "CARD.svg" ||
    name.startsWith("hero.") ||
    suffixes.some((suffix) => name.endsWith(suffix)) ||
    path.split("/").some((component) => skipped.has(component))
  );
}

/**
 * Whether a file left out of the digest is a by-product: the card and its pictures at the skill's root, and files of
 * version control and desktops there. The format leaves out other files too (`scripts/hero.py`, `x.pem`); these could
 * be anybody's, so they count as added.
 */
export const isByProduct = (path: string): boolean =>
  path === "CARD.md" ||
  path === "CARD.svg" ||
  path === ".DS_Store" ||
  path.startsWith(".git/") ||
  /^hero\.(?:avif|gif|jpe?g|png|svg|webp)$/.test(path);

/** UTF-8 sorts like code points, UTF-16 does not. */
const byCodePoints = (one: string, other: string): number =>
  Buffer.compare(Buffer.from(one), Buffer.from(other));

/** Lists the tree's files as the format's tool does. */
export function listFiles(files: ReadonlyMap<string, SkillFile>): CardListing {
  const listed = [...files].filter(([path]) => !isLeftOut(path));
  return new Map(
    listed.sort(([one], [other]) => byCodePoints(one, other)).map(([path, file]) => [path, file.sha256]),
  );
}

/** The digest of a list as cards state it: SHA-256 over lines of digest, two blanks and path, joined by LF. */
export const digestOfListing = (listing: CardListing): Sha256 =>
  sha256([...listing].map(([path, digest]) => `${digest}  ${path}`).join("\n"));

function entryOf(item: Json, index: number): readonly [path: string, digest: string] {
  const where = `entry ${index + 1} of ${cardManifestFileName}`;
  const entry = assertObject(item, where);
  assertFields(entry, where, new Set(["path", "sha256"]));
  const [path, digest] = [textOf(entry, "path", where), textOf(entry, "sha256", where)];
  const fault = pathFault(path);
  if (fault !== undefined) throw malformed(`the listed name ${quoted(path)} ${fault}`);
  if (!/^[0-9a-f]{64}$/.test(digest))
    throw malformed(`the digest of ${quoted(path)} is not 64 lower-case hex digits`);
  return [path, digest];
}

function parse(bytes: Uint8Array): readonly Json[] {
  if (bytes.byteLength > maxBytes)
    throw malformed(`${cardManifestFileName} is larger than ${maxBytes} bytes`);
  const value = readJson(bytes, cardManifestFileName);
  if (!Array.isArray(value)) throw malformed(`${cardManifestFileName} is not a list`);
  return value as readonly Json[];
}

function readAll(bytes: Uint8Array): CardListing {
  const items = parse(bytes);
  if (items.length > skillLimits.files)
    throw malformed(`${cardManifestFileName} lists more than ${skillLimits.files} files`);
  const listing = new Map<string, string>();
  let last: string | undefined;
  for (const [path, digest] of items.map(entryOf)) {
    if (last !== undefined && byCodePoints(last, path) >= 0)
      throw malformed(`${cardManifestFileName} is not sorted, or lists ${quoted(path)} twice`);
    listing.set(path, digest);
    last = path;
  }
  return listing;
}

/**
 * Reads `CARD.manifest.json`: a list of exactly `path` and `sha256`, sorted by code points, no path repeated. It
 * proves nothing unless a card's digest covers it.
 * @param bytes of the file; must not change, for the result is remembered
 * @throws SignatureError MANIFEST_MALFORMED
 */
export const readListing: (bytes: Uint8Array) => CardListing = memoizeByObject(readAll);
