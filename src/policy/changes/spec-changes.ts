import { isFields } from "../../text/fields.ts";
import { printable } from "../../text/printable.ts";
import { sameJson } from "../../text/same-json.ts";

/** What of a resource's `spec` is another, in words, and whether less is demanded than before. */
export interface SpecChanges {
  /** `mode: Enforce → Audit`, `publishers: added "release"`. */
  readonly words: readonly string[];
  readonly isWeaker: boolean;
}

/** Values of fields that demand, the most lenient first. */
const scales: readonly (readonly string[])[] = [
  ["Audit", "Warn", "Enforce"],
  ["Allow", "Warn", "Deny"],
  ["NotRequired", "Required"],
  ["Any", "Private"],
  ["Watch", "Binding"],
  ["WEAK", "MEDIUM", "STRONG"],
];

/** Sections of a policy that are demands: without them less is asked. */
const demands: ReadonlySet<string> = new Set(["closed", "freshness", "evidence", "card", "revocation"]);

/** Lists of a policy whose entries forbid, or are looked at: fewer of them demand less. */
const demandingLists: ReadonlySet<string | undefined> = new Set(["revocation", "skillRoots"]);

const maxWords = 20;
const maxDepth = 4;
const maxNamed = 5;

const isMoreLenient = (before: unknown, after: unknown): boolean =>
  scales.some((scale) => {
    const [from, to] = [before, after].map((value) => scale.findIndex((one) => one === value));
    return from !== undefined && to !== undefined && to !== -1 && to < from;
  });

/** A value short enough to be read in a line; keys and certificates are not. */
function shown(value: unknown): string | undefined {
  if (value === undefined) return "none";
  if (typeof value === "object") return undefined;
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return text.length > 80 || text.includes("\n") ? undefined : printable(text, 80);
}

/** Fields by which an entry of a list is known. */
const keyFields: readonly (readonly string[])[] = [["name"], ["digest"], ["identity", "issuer"]];

/** The name by which an entry of a list is known; entries without one are known by all that they hold. */
function keyOf(entry: unknown): string {
  if (typeof entry === "string") return entry;
  if (!isFields(entry)) return JSON.stringify(entry);
  const fields = keyFields.find((keys) => keys.every((key) => typeof entry[key] === "string"));
  return fields === undefined ? JSON.stringify(entry) : fields.map((key) => String(entry[key])).join(" ");
}

function named(verb: string, keys: readonly string[]): readonly string[] {
  if (keys.length === 0) return [];
  const told = keys.slice(0, maxNamed).map((key) => printable(JSON.stringify(key), 80));
  const more = keys.length - told.length;
  return [`${verb} ${told.join(", ")}${more === 0 ? "" : ` and ${more} more`}`];
}

/** The entries of a list that came, went, or are other ones under the same name. */
function listChanges(
  before: readonly unknown[],
  after: readonly unknown[],
): { readonly text: string; readonly isShorter: boolean } {
  const [from, to] = [before, after].map((list) => new Map(list.map((entry) => [keyOf(entry), entry])));
  const removed = [...(from?.keys() ?? [])].filter((key) => to?.has(key) !== true);
  const added = [...(to?.keys() ?? [])].filter((key) => from?.has(key) !== true);
  const changed = [...(to ?? [])].flatMap(([key, entry]) =>
    from?.has(key) === true && !sameJson(from.get(key), entry) ? [key] : [],
  );
  const parts = [...named("added", added), ...named("removed", removed), ...named("changed", changed)];
  return {
    text: parts.length === 0 ? "in another order" : parts.join("; "),
    isShorter: removed.length > 0,
  };
}

interface Comparison {
  readonly words: string[];
  readonly forbids: boolean;
  isWeaker: boolean;
}

function compareLists(before: unknown, after: unknown, at: string, result: Comparison): void {
  const [from, to] = [before, after].map((list): readonly unknown[] => (Array.isArray(list) ? list : []));
  const { text, isShorter } = listChanges(from ?? [], to ?? []);
  result.words.push(`${at}: ${text}`);
  if (isShorter && (result.forbids || demandingLists.has(at.split(".")[0]))) result.isWeaker = true;
}

function compareValues(before: unknown, after: unknown, at: string, result: Comparison): void {
  const [from, to] = [shown(before), shown(after)];
  result.words.push(from === undefined || to === undefined ? `${at}: changed` : `${at}: ${from} → ${to}`);
  if (isMoreLenient(before, after) || (after === undefined && demands.has(at))) result.isWeaker = true;
}

function compare(before: unknown, after: unknown, path: readonly string[], result: Comparison): void {
  if (sameJson(before, after)) return;
  const at = printable(path.join("."), 120);
  if (Array.isArray(before) || Array.isArray(after)) compareLists(before, after, at, result);
  else if (isFields(before) && isFields(after) && path.length < maxDepth) {
    for (const key of new Set([...Object.keys(before), ...Object.keys(after)]))
      compare(before[key], after[key], [...path, key], result);
  } else compareValues(before, after, at, result);
}

/**
 * Compares two versions of a resource's `spec`.
 * @param forbids whether the entries of its lists are what it forbids, as of a revocation list
 */
export function specChanges(before: unknown, after: unknown, forbids: boolean): SpecChanges {
  const result: Comparison = { words: [], forbids, isWeaker: false };
  compare(before, after, [], result);
  const { words, isWeaker } = result;
  if (words.length <= maxWords) return { words, isWeaker };
  return { words: [...words.slice(0, maxWords - 1), `and ${words.length - maxWords + 1} more`], isWeaker };
}
