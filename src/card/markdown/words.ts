/** Named entities that stand for marks within headings and labels; those of letters follow a rule of their own. */
const entities: Readonly<Record<string, string>> = {
  amp: "&",
  ast: "*",
  colon: ":",
  dash: "-",
  equals: "=",
  gt: ">",
  hyphen: "-",
  lowbar: "_",
  lt: "<",
  mdash: "—",
  nbsp: " ",
  ndash: "–",
  num: "#",
  period: ".",
  semi: ";",
  sol: "/",
  vert: "|",
};

const fromCode = (code: number): string => (code > 0 && code <= 0x10_ffff ? String.fromCodePoint(code) : "");

/** The text with its entities resolved: `R&#105;sks` is read as `Risks`. */
const decoded = (text: string): string =>
  text.replace(
    /&(?:#(\d{1,7})|#x([\da-f]{1,6})|(\w{2,24}));/gi,
    (whole, decimal?: string, hex?: string, name: string = "") => {
      if (decimal !== undefined) return fromCode(Number(decimal));
      if (hex !== undefined) return fromCode(Number.parseInt(hex, 16));
      // `&Rscr;`, `&iacute;`: the letter, in another shape.
      const letter = /^([a-z])(?:scr|fr|opf|acute|grave|circ|uml|tilde|cedil|caron)$/i.exec(name)?.[1];
      return letter ?? entities[name] ?? (/^(?:shy|zwn?j|zerowidthspace)$/i.test(name) ? "" : whole);
    },
  );

const inlineTag = /<\/?(?:a|b|big|code|del|em|font|i|ins|mark|s|small|span|strong|sub|sup|u)(?:\s[^<>]*)?>/gi;

/** The line as it is shown to readers: without entities, escapes, tags, targets of links, emphasis and hidden characters. */
export const visible = (line: string): string =>
  decoded(line)
    .replace(/\\([!-/:-@[-`{-~])/g, "$1")
    .replace(inlineTag, "")
    .replace(/<[^<>]*>/g, " ")
    .replace(/\]\([^()]*\)/g, "]")
    .replace(/[*`~\p{Cf}]/gu, "")
    .replaceAll("_", " ");

/** The text with other shapes of a letter, and the Cyrillic and Greek letters that look like those of "risks", as the letter. */
const folded = (text: string): string =>
  /^[\t -~]*$/.test(text)
    ? text
    : text
        .normalize("NFKD")
        .replace(/\p{M}/gu, "")
        .replace(/[іІıιΙ]/g, "i")
        .replace(/[ѕЅ]/g, "s")
        .replace(/[кКκΚ]/g, "k");

/** The words of a heading or label, in lower case: `3. ⚠️ Risk(s)_&_Mitigations` is `risks and mitigations`. */
export const wordsOf = (text: string): string =>
  folded(visible(text))
    .replace(/(\p{Ll})(\p{Lu})/gu, "$1 $2")
    .toLowerCase()
    .replaceAll("(s)", "s")
    .replace(/[&+/]/g, " and ")
    .replace(/[^\p{L}]+/gu, " ")
    .trim();

/** Whether the words are about risks. "At your own risk" is the usual disclaimer, and none. */
export const speaksOfRisk = (words: string): boolean =>
  /\b(?:risk|risks|risky|mitigations?)\b/.test(words.replace(/\bown risk\b/g, ""));

/** Words that name a rating, as `risk level`, `overall risk score`, `risk tier`. */
export const namesRating = (words: string): boolean =>
  /\brisk (?:level|tier|score|rating|class|classification|category|grade)s?$/.test(words);

const ratings = new Set(
  "very low medium moderate high critical minimal limited negligible severe none no known unknown safe info not applicable identified acceptable level tier score risk risks and to out of".split(
    " ",
  ),
);

/** Whether the words are a rating or "none known" alone: `High`, `3 of 10 (low)`, `Risk tier: low`, `No known risks`. */
export const isRating = (words: string): boolean => {
  const list = words.split(" ");
  return list.length <= 8 && list.every((word) => word.length <= 1 || ratings.has(word));
};

/** Whether the line is a rating with its name: `Overall risk level: low`. */
export const isRatingField = (line: string): boolean => {
  const [name = "", ...value] = visible(behindMarks(line)).split(/[:：]/);
  return value.join("").trim() !== "" && namesRating(wordsOf(name)) && isRating(wordsOf(value.join(" ")));
};

/**
 * Whether the line may hold a word about risks at all, in whatever form: a quick answer for most lines, since every
 * line of a card is looked at.
 */
export const mayBeAboutRisk = (line: string): boolean =>
  /&|r[^a-z]*i[^a-z]*s[^a-z]*k|m[^a-z]*i[^a-z]*t[^a-z]*i/i.test(folded(line).replace(/<[^<>]*>/g, ""));

/** Whether the words say that there is nothing to tell: `None known.`, `No known risks`, `N/A`. */
export const saysNone = (words: string): boolean =>
  /^(?:none(?: known| identified)?|no (?:known |identified )?risks?(?: known| identified)?|n and a|not applicable)$/.test(
    words,
  );

/** The line behind the marks that lead it: of quotes, lists and boxes, numbers, signs and tags. */
export const behindMarks = (line: string): string =>
  decoded(line)
    .replace(
      /^(?:<\/?(?!h[1-6]\b|b\b|strong\b|summary\b|caption\b|legend\b|dt\b|th\b)[^<>]*>|[*_]{1,3}\s+|[^\p{L}*_<#|\\])+/iu,
      "",
    )
    .trim();
