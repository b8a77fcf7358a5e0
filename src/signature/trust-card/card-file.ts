import type { Sha256 } from "../../skill/digest.ts";
import type { Json } from "../../text/json.ts";
import { assertFields, assertObject, fieldOf, readObject, textOf, type JsonObject } from "../json-fields.ts";
import { malformed, SignatureError, unsupported } from "../signature-error.ts";
import { quoted } from "../../text/printable.ts";
import { cardHeadLines } from "./render.ts";
import { readSigning, type CardSigning } from "./signing.ts";
import { memoizeByObject } from "../../text/memoize-by-object.ts";

/** Path of a trust card in a skill: at its root. */
export const trustCardFileName = "CARD.md";

/** Limit of a card, bytes. Real ones have two to three thousand. */
const maxBytes = 65_536;

/** Start of the comment that the format's tool reads. A CARD.md without it is not a trust card. */
const cardDataMark = "<!--card-data";

/** Data of a trust card. Only `digest` is signed: anybody can change the rest. */
export interface TrustCard {
  /** `target_digest`: over the list of the skill's files. */
  readonly digest: Sha256;
  /** Number of files in that list. */
  readonly files: number;
  readonly signing?: CardSigning;
  readonly title: string;
  /** Absent also for `0.0.0`, by which a card states no version. */
  readonly version?: string;
  readonly description?: string;
  readonly riskTier?: string;
  readonly capability: JsonObject;
  /** The last day of the card's validity, `2027-06-29`. */
  readonly expires?: string;
}

const where = "the card's data";
const fields = new Set([
  "type",
  "card_version",
  "title",
  "target_version",
  "description",
  "timestamp",
  "target_digest",
  "bom",
  "identity",
  "signing",
  "transparency",
  "capability",
  "risk_tier",
  "content_provenance",
  "attestations",
  "expires",
  "supersedes",
  "_body",
]);

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Splits a card into the comment's JSON and the text above the comment. */
function split(text: string): { readonly head: string; readonly json: string } {
  const at = text.indexOf(cardDataMark);
  if (at === -1) throw malformed(`the card has no ${cardDataMark} … --> comment`);
  const [head, comment] = [text.slice(0, at), text.slice(at)];
  const json = comment.slice(cardDataMark.length + 1, -" -->\n".length);
  if (comment !== `${cardDataMark} ${json} -->\n`)
    throw malformed("the card does not end with its data, in one comment and a line feed");
  // Renderers end the comment at the first `-->`, and a second mark would be a second card.
  if (json.includes("-->") || json.includes(cardDataMark))
    throw malformed("the card's data holds the beginning or the end of a comment");
  return { head, json };
}

/** @throws SignatureError MANIFEST_MALFORMED for a line that differs from the data; the message quotes the first */
function assertSame(head: string, data: JsonObject): void {
  const found = head.split("\n");
  let at = 0;
  for (const wanted of cardHeadLines(data)) {
    if (found[at] !== wanted) throw unequal(at, found[at], wanted);
    at += 1;
  }
  if (at < found.length) throw unequal(at, found[at], undefined);
}

const unequal = (at: number, found = "", wanted = ""): SignatureError =>
  malformed(
    `line ${at + 1} of the card says ${quoted(found)}, its data ${quoted(wanted)}: make the card anew, so that people and programs read the same`,
  );

function optionalText(data: JsonObject, field: string): string | undefined {
  const value: Json | undefined = fieldOf(data, field);
  return value === undefined || value === null ? undefined : textOf(data, field, where);
}

function digestOf(data: JsonObject): Sha256 {
  const digest = textOf(data, "target_digest", where);
  if (!/^sha256:[0-9a-f]{64}$/.test(digest))
    throw malformed(`${where}.target_digest is not sha256: and 64 lower-case hex digits`);
  return digest as Sha256;
}

function filesOf(data: JsonObject): number {
  const bom = assertObject(fieldOf(data, "bom"), `${where}.bom`);
  assertFields(bom, `${where}.bom`, new Set(["files", "algorithm"]));
  const algorithm = textOf(bom, "algorithm", `${where}.bom`);
  if (algorithm !== "sha256-manifest")
    throw unsupported(`${where}.bom.algorithm is ${quoted(algorithm)}, expected sha256-manifest`);
  const files = fieldOf(bom, "files");
  if (typeof files !== "number" || !Number.isSafeInteger(files) || files < 0)
    throw malformed(`${where}.bom.files is not a number of files`);
  return files;
}

function expiryOf(data: JsonObject): string | undefined {
  const text = optionalText(data, "expires");
  if (text === undefined) return undefined;
  const time = /^\d{4}-\d\d-\d\d$/.test(text) ? Date.parse(`${text}T00:00:00Z`) : Number.NaN;
  if (Number.isNaN(time) || new Date(time).toISOString().slice(0, 10) !== text)
    throw malformed(`${where}.expires is ${quoted(text)}, expected a day such as 2027-06-29`);
  return text;
}

const present = <T extends Readonly<Record<string, unknown>>>(members: T) =>
  Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as {
    readonly [Key in keyof T]?: Exclude<T[Key], undefined>;
  };

function cardOf(data: JsonObject): TrustCard {
  const version = optionalText(data, "target_version");
  return {
    digest: digestOf(data),
    files: filesOf(data),
    title: textOf(data, "title", where),
    capability: assertObject(fieldOf(data, "capability") ?? {}, `${where}.capability`),
    ...present({
      signing: readSigning(fieldOf(data, "signing")),
      version: version === "0.0.0" ? undefined : version,
      description: optionalText(data, "description"),
      riskTier: optionalText(data, "risk_tier"),
      expires: expiryOf(data),
    }),
  };
}

/**
 * Parses a card: the data in its last comment, strictly. Frontmatter and body must equal the data's rendering, letter
 * by letter: the tool reads only the data, people and agents only the rest.
 */
function parseTrustCard(text: string): TrustCard {
  const { head, json } = split(text);
  const data = readObject(json, where);
  const version = textOf(data, "card_version", where);
  if (version !== "0.1") throw unsupported(`the card's version is ${quoted(version)}, expected 0.1`);
  if (textOf(data, "type", where) !== "Card") throw malformed(`${where}.type is not Card`);
  assertFields(data, where, fields);
  assertSame(head, data);
  return cardOf(data);
}

/** Parsed cards and faults: finding signatures, verifying and reading cards parse the same bytes. */
const read = memoizeByObject((bytes: Uint8Array): TrustCard | SignatureError => {
  try {
    return parseTrustCard(decode(bytes));
  } catch (cause) {
    if (cause instanceof SignatureError) return cause;
    throw cause;
  }
});

/**
 * Reads a trust card (saschb2b/skills, trust-card, card version 0.1).
 * @param bytes of the file, UTF-8 without a byte order mark; must not change, for the result is remembered
 * @throws SignatureError MANIFEST_MALFORMED or UNSUPPORTED_FORMAT
 */
export function readTrustCard(bytes: Uint8Array): TrustCard {
  const card = read(bytes);
  if (card instanceof SignatureError) throw card;
  return card;
}

/** Whether the file holds the start of this format's comment. */
export const hasCardData = ({ buffer, byteOffset, byteLength }: Uint8Array): boolean =>
  Buffer.from(buffer, byteOffset, byteLength).includes(cardDataMark);

function decode(bytes: Uint8Array): string {
  if (bytes.byteLength > maxBytes) throw malformed(`the card is larger than ${maxBytes} bytes`);
  try {
    return utf8.decode(bytes);
  } catch (cause) {
    throw malformed("the card is not UTF-8", { cause });
  }
}
