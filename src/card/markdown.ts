/** A heading and what stands below it, to the next heading that the card's format knows. */
export interface Section {
  /** The heading as `sectionKey` writes it. */
  readonly key: string;
  readonly level: number;
  /** Trimmed, without empty lines; `<br>` is a line end. */
  readonly lines: readonly string[];
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

interface OpenSection extends Section {
  readonly lines: string[];
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

function headingOf(line: string): Omit<Section, "lines"> | undefined {
  const [opening, marks] = /^ {0,3}(#{1,6})(?:[ \t]+|$)/.exec(line) ?? [];
  if (opening === undefined || marks === undefined) return undefined;
  return { key: sectionKey(line.slice(opening.length)), level: marks.length };
}

function cutAtHeadings(lines: readonly string[], known: (key: string) => boolean): readonly Section[] {
  const sections: OpenSection[] = [];
  const isFenced = fenceTracker();
  for (const raw of lines) {
    const line = raw.trim();
    const current = sections.at(-1);
    const heading = isFenced(line) ? undefined : headingOf(raw);
    if (heading === undefined) {
      if (line !== "") current?.lines.push(line);
      continue;
    }
    const isInner = current !== undefined && heading.level > current.level && known(current.key);
    if (!isInner || known(heading.key)) sections.push({ ...heading, lines: [] });
  }
  return sections;
}

/**
 * Cuts Markdown into sections at its headings (`#` to `######`, optional colon, optional `<br>`). Headings
 * inside fenced code are text; those that `known` does not know and that stand deeper than one it does belong to
 * that one. Linear in the text.
 */
export function readSections(text: string, known: (key: string) => boolean): Sections {
  const visible = withoutComments(text);
  const faults = [...unconfirmed(text)];
  if (visible.unclosed) faults.push("a comment <!-- is never closed; close it");
  const lines = visible.text.replace(/<br *\/?>/gi, "\n").split("\n");
  return { sections: cutAtHeadings(lines, known), faults };
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
