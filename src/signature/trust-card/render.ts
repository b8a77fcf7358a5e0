import type { Json } from "../../skill/json.ts";
import { canonicalJson } from "../guide/canonical-json.ts";
import type { JsonObject } from "../json-fields.ts";
import { malformed, quoted } from "../signature-error.ts";

/** Ends a line, or is not seen, for some reader: the frontmatter would mean something else than the data. */
const unprintable = /[\p{Cc}\p{Zl}\p{Zp}]/u;

function assertPrintable(text: string): void {
  if (unprintable.test(text))
    throw malformed(`the card's data holds a line break or control character in ${quoted(text)}`);
}

/** As Python's `str` has it; text with a colon, a number sign or blanks at its ends as `json.dumps` has it. */
function scalar(value: null | boolean | number | string): string {
  if (typeof value !== "string") return String(value);
  assertPrintable(value);
  return value === "" || /[:#]/.test(value) || value !== value.trim() ? canonicalJson(value) : value;
}

const isNested = (value: Json | undefined): value is JsonObject | readonly Json[] =>
  typeof value === "object" && value !== null;

/** Levels of data. Real cards have two; each indents every line below it. */
const maxDepth = 8;

function linesOfObject(object: JsonObject, pad: string): readonly string[] {
  if (pad.length > 2 * maxDepth) throw malformed(`the card's data is nested deeper than ${maxDepth} levels`);
  return Object.entries(object).flatMap(([key, value]) => {
    assertPrintable(key);
    if (!isNested(value)) return [`${pad}${key}: ${scalar(value)}`];
    if (Object.keys(value).length === 0) return [`${pad}${key}: ${Array.isArray(value) ? "[]" : "{}"}`];
    return [`${pad}${key}:`, ...linesOf(value, `${pad}  `)];
  });
}

function linesOfList(items: readonly Json[], pad: string): readonly string[] {
  return items.map((item) => {
    if (Array.isArray(item))
      throw malformed("the card's data holds a list in a list, which the format cannot write");
    return isNested(item)
      ? `${pad}- ${linesOfObject(item as JsonObject, `${pad}  `)
          .join("\n")
          .trimStart()}`
      : `${pad}- ${scalar(item)}`;
  });
}

const linesOf = (value: JsonObject | readonly Json[], pad: string): readonly string[] =>
  Array.isArray(value) ? linesOfList(value as readonly Json[], pad) : linesOfObject(value as JsonObject, pad);

/**
 * What stands above the data in a card, as trust-card's `card.py` writes it from the data: frontmatter and body. The
 * tool reads the data alone; people and agents read this.
 * @throws SignatureError MANIFEST_MALFORMED for data that it could not write
 */
export function renderCardHead({ _body: body = "", ...frontmatter }: JsonObject): string {
  if (typeof body !== "string") throw malformed("the card's data has a _body that is not text");
  return `---\n${linesOf(frontmatter, "").join("\n")}\n---\n\n${body}\n\n`;
}
