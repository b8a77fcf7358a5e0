export interface Heading {
  /** The heading as it is written. */
  readonly text: string;
  /** The heading in the form of `sectionKey`. */
  readonly key: string;
  readonly level: number;
  /** The first heading, of level 1: it names the skill. */
  readonly isTitle: boolean;
}

/** Lines below one inner heading of a section. */
export interface Part {
  readonly heading?: string;
  /** Trimmed, without empty lines. `<br>` ends a line, and is a blank in tables. */
  readonly lines: readonly string[];
}

/** A heading with the text below it, to the next heading of the card's format. */
export interface Section extends Heading {
  /** The first has no heading; each inner heading begins another. */
  readonly parts: readonly Part[];
}

const maxKey = 200;

/** The form in which headings are compared: lower case, without emphasis, colon, and blanks around `/`. */
const sectionKey = (heading: string): string => (heading.length > maxKey ? heading : keyOf(heading));

const keyOf = (heading: string): string =>
  heading
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

/** The text without `<!-- comments -->`, which no reader of the rendered card sees, and whether a comment is unclosed. */
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

/** Faults for values that the card's generator left to a person to confirm. */
function unconfirmed(text: string): readonly string[] {
  const faults: string[] = [];
  if (/<!--\s{0,8}verify\b/i.test(text))
    faults.push("a VERIFY comment is still there; confirm the value, then remove it");
  if (/<(?:span|font)\b[^>]{0,200}(?:\bred\b|#f00\b|#ff0000\b)/i.test(text)) {
    faults.push("a value is still marked red as unconfirmed; confirm it, then remove the mark");
  }
  return faults;
}

export interface Sections {
  readonly sections: readonly Section[];
  /** Faults of the text as a whole. */
  readonly faults: readonly string[];
}

interface OpenPart extends Part {
  readonly lines: string[];
}

interface OpenSection extends Section {
  readonly parts: OpenPart[];
}

/** Tells for each line, in order, whether it is inside fenced code. */
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

/** How a format takes its headings. */
export interface HeadingRules {
  /** Whether the heading begins a section. */
  readonly opens: (heading: Heading, outer?: Heading) => boolean;
  /** Whether the last of these lines looks like a heading of importance, though none by `#`: it begins a part. */
  readonly looksLikeHeading: (paragraph: readonly string[], isUnderlined: boolean) => boolean;
}

const underline = /^(?:>\s?)*(?:=+|-+)$/;

/** Collects lines in the last part of a section, and begins another at a line that looks like a heading. */
function lineCollector({ looksLikeHeading }: HeadingRules): (line: string, section: OpenSection) => void {
  let paragraph: string[] = [];
  return (line, { parts }) => {
    const isUnderline = paragraph.length > 0 && underline.test(line);
    if (!isUnderline) paragraph = line === "" ? [] : [...paragraph.slice(-3), line];
    if (line === "") return;
    const lines = parts.at(-1)?.lines;
    if (looksLikeHeading(paragraph, isUnderline)) {
      if (isUnderline) lines?.splice(-paragraph.length);
      parts.push({ heading: isUnderline ? paragraph.join(" ") : line, lines: [] });
      paragraph = [];
    } else lines?.push(line);
  };
}

function cutAtHeadings(lines: readonly string[], rules: HeadingRules): readonly Section[] {
  // The text before the first heading is a section of its own.
  let current: OpenSection = { text: "", key: "", level: 0, isTitle: false, parts: [{ lines: [] }] };
  const sections = [current];
  const isFenced = fenceTracker();
  const collect = lineCollector(rules);
  const { opens } = rules;
  for (const raw of lines) {
    const line = raw.trim();
    const found = isFenced(line) ? undefined : headingOf(raw);
    if (found === undefined) {
      collect(line, current);
      continue;
    }
    collect("", current);
    const { level, text } = found;
    const heading = { text, key: sectionKey(text), level, isTitle: sections.length === 1 && level === 1 };
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

const lineBreak = /<\/?br\b[^<>]{0,200}>/gi;

const blockTag =
  /<\/?(?:caption|dd|details|div|dl|dt|h[1-6]|hr|legend|li|ol|p|section|summary|table|t[dhr]|ul)\b[^<>]{0,200}>/gi;

/** A row of a table stays one line, whatever breaks its cells hold. Other lines end at breaks and tags of blocks. */
function cutAtBreaks(line: string): readonly string[] {
  if (line.trimStart().startsWith("|")) return [line.replace(lineBreak, " ")];
  const pieces = line
    .replace(lineBreak, "\n")
    .replace(blockTag, (tag) => (tag.startsWith("</") ? `${tag}\n` : `\n${tag}`))
    .split("\n");
  const filled = pieces.filter((piece) => piece.trim() !== "");
  return filled.length === 0 ? [""] : filled;
}

/**
 * Cuts Markdown into sections at its headings: `#` to `######`, optional colon, optional `<br>`. Headings inside
 * fenced code are text. A heading that `opens` no section is an inner one if it is deeper than the heading of a
 * section that was opened. Takes linear time.
 */
export function readSections(text: string, rules: HeadingRules): Sections {
  const visible = withoutComments(text);
  const faults = [...unconfirmed(text)];
  if (visible.unclosed) faults.push("a comment <!-- is never closed; close it");
  const lines = visible.text.split(/\r\n?|[\n\u0085\u2028\u2029]/).flatMap(cutAtBreaks);
  return { sections: cutAtHeadings(lines, rules), faults };
}

/** The text of a list's item, `- a`, `* a` or `1. a`; undefined for other lines. */
export const listItem = (line: string): string | undefined => {
  const marker = /^(?:[-*+]|\d{1,3}[.)])[ \t]+/.exec(line)?.[0];
  return marker === undefined ? undefined : line.slice(marker.length).trim();
};
