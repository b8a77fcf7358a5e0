import { stringify } from "yaml";

/** Characters of a value in a table cell. */
const longest = 100;
/** Characters below which a rest is left out. */
const shortest = 16;
/** Characters that are shown of a text of several lines: its kind, such as PEM, and the beginning. */
const shownOfLines = 48;

/**
 * Quoted where YAML 1.1 needs it, which kubectl reads: `on` is no text there. Patterns and JSON stand in single quotes,
 * which need no escapes.
 */
const scalar = (value: unknown): string =>
  stringify([value], {
    version: "1.1",
    singleQuote: typeof value === "string" && /[\\"]/.test(value),
    collectionStyle: "flow",
    flowCollectionPadding: false,
    lineWidth: 0,
  }).slice(1, -2);

/** Shortens a long text, and one of several lines always; a short one would be taken for another value. */
function text(value: string, room: number): string {
  const line = value.trim().replaceAll(/\s+/g, " ");
  const isOneLine = line === value;
  if (isOneLine && line.length <= room) return scalar(line);
  if (room < shortest || (isOneLine && line.length <= shownOfLines)) return "…";
  return scalar(`${line.slice(0, isOneLine ? room : Math.min(room, shownOfLines)).trimEnd()}…`);
}

type Part = (room: number) => string;

/** As many parts as there is room for, and `…` in place of the rest. */
function joined(parts: readonly Part[], room: number): string {
  const shown: string[] = [];
  let left = room;
  for (const part of parts) {
    if (left < shortest) return [...shown, "…"].join(", ");
    const next = part(left);
    shown.push(next);
    left -= next.length + 2;
  }
  return shown.join(", ");
}

const list = (items: readonly unknown[], room: number): string =>
  `[${joined(
    items.map((item) => (left: number) => inlineYaml(item, left)),
    room - 2,
  )}]`;

const map = (object: object, room: number): string =>
  `{ ${joined(
    Object.entries(object).map(
      ([name, member]) =>
        (left: number) =>
          `${scalar(name)}: ${inlineYaml(member, left - name.length - 2)}`,
    ),
    room - 4,
  )} }`;

function cut(value: unknown, room: number): string {
  if (typeof value === "string") return text(value, room);
  if (typeof value !== "object" || value === null) return scalar(value);
  if (room < shortest) return "…";
  return Array.isArray(value) ? list(value, room) : map(value, room);
}

/** A value on one line, in YAML's flow style; `…` stands for what there is no room for. */
export function inlineYaml(value: unknown, room = longest): string {
  const whole = cut(value, Infinity);
  return whole.length <= room ? whole : cut(value, room);
}
