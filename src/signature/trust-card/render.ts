import type { Json } from "../../text/json.ts";
import { isOneLine, quoted } from "../../text/printable.ts";
import { canonicalJson } from "../../text/canonical-json.ts";
import type { JsonObject } from "../json-fields.ts";
import { malformed } from "../signature-error.ts";

/** A value with a line break would put lines into the frontmatter that the data does not have. */
function assertOneLine(text: string): void {
  if (!isOneLine(text))
    throw malformed(`the card's data holds a line break or control character in ${quoted(text)}`);
}

/**
 * Formats a scalar as Python's `str` does; text with a colon, a number sign or blanks at its ends as `json.dumps`
 * does.
 */
function scalar(value: null | boolean | number | string): string {
  if (typeof value !== "string") return String(value);
  assertOneLine(value);
  return value === "" || /[:#]/.test(value) || value !== value.trim() ? canonicalJson(value) : value;
}

const isNested = (value: Json | undefined): value is JsonObject | readonly Json[] =>
  typeof value === "object" && value !== null;

/** Limit of nesting, for each level indents every line below it. Real cards have two levels. */
const maxDepth = 8;

type Lines = Generator<string, undefined>;

function* linesOfObject(object: JsonObject, pad: string): Lines {
  if (pad.length > 2 * maxDepth) throw malformed(`the card's data is nested deeper than ${maxDepth} levels`);
  for (const [key, value] of Object.entries(object)) {
    assertOneLine(key);
    if (!isNested(value)) yield `${pad}${key}: ${scalar(value)}`;
    else if (Object.keys(value).length === 0) yield `${pad}${key}: ${Array.isArray(value) ? "[]" : "{}"}`;
    else {
      yield `${pad}${key}:`;
      yield* Array.isArray(value)
        ? linesOfList(value as readonly Json[], `${pad}  `)
        : linesOfObject(value as JsonObject, `${pad}  `);
    }
  }
}

function* linesOfList(items: readonly Json[], pad: string): Lines {
  for (const item of items) {
    if (Array.isArray(item))
      throw malformed("the card's data holds a list in a list, which the format cannot write");
    if (isNested(item)) {
      const lines = linesOfObject(item as JsonObject, `${pad}  `);
      yield `${pad}- ${(lines.next().value ?? "").trimStart()}`;
      yield* lines;
    } else yield `${pad}- ${scalar(item)}`;
  }
}

/**
 * Renders the part of a card above its data, as trust-card's `card.py` writes it: frontmatter and body. The tool reads
 * the data alone; people and agents read this. A generator, since rendering hostile data in full takes longer than
 * reading it.
 * @throws SignatureError MANIFEST_MALFORMED for data that `card.py` could not write
 */
export function* cardHeadLines({ _body: body = "", ...frontmatter }: JsonObject): Lines {
  if (typeof body !== "string") throw malformed("the card's data has a _body that is not text");
  yield "---";
  // `card.py` writes an empty line for empty data.
  if (Object.keys(frontmatter).length === 0) yield "";
  yield* linesOfObject(frontmatter, "");
  yield* ["---", "", ...body.split("\n"), "", ""];
}
