/** A heading of a card. */
export interface Heading {
  /** The heading as `sectionKey` writes it. */
  readonly key: string;
  readonly level: number;
  /** Is it the first heading, and of level 1: such a one names the skill. */
  readonly isTitle: boolean;
}

/** Lines of a section, and the inner heading above them. */
export interface Part {
  readonly heading?: string;
  /** Trimmed, without empty lines; `<br>` is a line end, and a blank in tables. */
  readonly lines: readonly string[];
}

/** A heading and what stands below it, to the next heading that the card's format knows. */
export interface Section extends Heading {
  /** The first has no heading; each inner heading begins another. */
  readonly parts: readonly Part[];
}

/** What a heading is compared by: lower case, without emphasis, colon, and blanks around `/`. */
export const sectionKey = (heading: string): string =>
  heading
    .slice(0, 200)
    .replace(/[*_`]/g, "")
    .trim()
    .replace(/#+$/, "")
    .trim()
    .replace(/:$/, "")
    .toLowerCase()
    .replace(/\s+/g, " ")
    .replaceAll(" /", "/")
    .replaceAll("/ ", "/")
    .trim();

/** The text without `<!-- comments -->`, which readers of the rendered card never see; and whether one never ends. */
function withoutComments(text: string): { readonly text: string; readonly unclosed: boolean } {
  const kept: string[] = [];
  let at = 0;
  for (let open = text.indexOf("<!--"); open !== -1; open = text.indexOf("<!--", at)) {
    kept.push(text.slice(at, open));
    // `<!-->` and `<!--->` are whole comments (CommonMark 0.31, 6.6).
    const close = text.indexOf("-->", open + 2);
    if (close === -1) return { text: kept.join(""), unclosed: true };
    at = close + 3;
  }
  return { text: kept.join("") + text.slice(at), unclosed: false };
}

/** Values that the card's generator has left for a person to confirm. */
function unconfirmed(text: string): readonly string[] {
  const faults: string[] = [];
  if (/<!--\s{0,8}verify\b/i.test(text))
    faults.push("a VERIFY comment is still there; confirm the value, then remove it");
  if (/<(?:span|font)\b[^>]{0,200}(?:\bred\b|#f00\b|#ff0000\b)/i.test(text)) {
    faults.push("a value is still marked red as unconfirmed; confirm it, then remove the mark");
  }
  return faults;
}

/** A card cut into sections. */
export interface Sections {
  readonly sections: readonly Section[];
  /** What would have to be put right before anyone can rely on the text. */
  readonly faults: readonly string[];
}

interface OpenPart extends Part {
  readonly lines: string[];
}

interface OpenSection extends Section {
  readonly parts: OpenPart[];
}

/** Tells, line by line, whether what comes is inside fenced code. */
function fenceTracker(): (line: string) => boolean {
  let fence: string | undefined;
  return (line) => {
    const mark = /^(?:`{3,}|~{3,})/.exec(line)?.[0];
    if (fence === undefined) fence = mark;
    else if (mark?.startsWith(fence) === true && mark === line) fence = undefined;
    return fence !== undefined;
  };
}

function headingOf(line: string): { readonly level: number; readonly text: string } | undefined {
  const [opening, marks] = /^ {0,3}(#{1,6})(?:[ \t]+|$)/.exec(line) ?? [];
  if (opening === undefined || marks === undefined) return undefined;
  return { level: marks.length, text: line.slice(opening.length).trim() };
}

type Opens = (heading: Heading, outer?: Heading) => boolean;

function cutAtHeadings(lines: readonly string[], opens: Opens): readonly Section[] {
  // The text before the first heading is a section of its own.
  let current: OpenSection = { key: "", level: 0, isTitle: false, parts: [{ lines: [] }] };
  const sections = [current];
  const isFenced = fenceTracker();
  for (const raw of lines) {
    const line = raw.trim();
    const found = isFenced(line) ? undefined : headingOf(raw);
    if (found === undefined) {
      if (line !== "") current.parts.at(-1)?.lines.push(line);
      continue;
    }
    const { level, text } = found;
    const heading = { key: sectionKey(text), level, isTitle: sections.length === 1 && level === 1 };
    const isInner = level > current.level && opens(current);
    if (isInner && !opens(heading, current)) {
      current.parts.push({ heading: text, lines: [] });
    } else {
      current = { ...heading, parts: [{ lines: [] }] };
      sections.push(current);
    }
  }
  return sections;
}

const lineBreak = /<br *\/?>/gi;

/** A row of a table is one line, whatever breaks are in its cells. */
const cutAtBreaks = (line: string): readonly string[] =>
  line.trimStart().startsWith("|") ? [line.replace(lineBreak, " ")] : line.split(lineBreak);

/**
 * Cuts Markdown into sections at its headings (`#` to `######`, optional colon, optional `<br>`). Headings
 * inside fenced code are text; those at which no section `opens` and that stand deeper than one where it does belong to
 * that one. Linear in the text.
 */
export function readSections(text: string, opens: Opens): Sections {
  const visible = withoutComments(text);
  const faults = [...unconfirmed(text)];
  if (visible.unclosed) faults.push("a comment <!-- is never closed; close it");
  return { sections: cutAtHeadings(visible.text.split("\n").flatMap(cutAtBreaks), opens), faults };
}

/** The item's text where a line is an item of a list, `- a`, `* a` or `1. a`. */
export const listItem = (line: string): string | undefined => {
  const marker = /^(?:[-*+]|\d{1,3}[.)])[ \t]+/.exec(line)?.[0];
  return marker === undefined ? undefined : line.slice(marker.length).trim();
};

/** The first link of a line, `[label](url)`, `<url>` or a bare web address. */
export function firstLink(line: string): { readonly label?: string; readonly url: string } | undefined {
  const middle = line.indexOf("](");
  const open = middle === -1 ? -1 : line.indexOf("[");
  if (open !== -1 && open < middle) {
    const label = line.slice(open + 1, middle).trim();
    const url = target(line, middle + 2);
    if (url !== "") return label === "" ? { url } : { label, url };
  }
  const bare = /https?:\/\/[^\s<>]+/i.exec(line)?.[0];
  return bare === undefined ? undefined : { url: bare };
}

/** What stands from here to the bracket that closes, `(` and `)` counted, or to a blank. */
function target(line: string, from: number): string {
  let depth = 0;
  let at = from;
  for (; at < line.length; at += 1) {
    const character = line.charAt(at);
    if (character === "(") depth += 1;
    else if (character === ")" && depth > 0) depth -= 1;
    else if (character === ")" || character === " ") break;
  }
  return line.slice(from, at).replace(/^<|>$/g, "");
}
