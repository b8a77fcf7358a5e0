import correct from "spdx-correct";
import parse, { type SpdxExpression, type SpdxLicense } from "spdx-expression-parse";

const maxCharacters = 4096;
const maxIdentifier = 64;
/** Correcting one misspelt identifier takes about a millisecond. */
const maxCorrections = 16;

/** A licence as a card states it. */
export interface License {
  readonly raw: string;
  /** The SPDX expression that it is; absent where it is none. */
  readonly spdx?: string;
}

/** Letters and digits that matter: `The Apache License, Version 2.0` and `Apache-2.0` are one. */
const squeeze = (identifier: string): string =>
  identifier
    .toLowerCase()
    .replace(/\b(?:the|licen[cs]e|version)\b/g, "")
    .replace(/[^a-z0-9+]/g, "");

function parsed(expression: string): SpdxExpression | undefined {
  // The scanner skips what it does not know, so that only its own characters may reach it.
  if (expression.length > maxCharacters || !/^[A-Za-z0-9.+:() -]+$/.test(expression)) return undefined;
  try {
    return parse(expression);
  } catch {
    return undefined;
  }
}

/**
 * The identifier as SPDX spells it. Corrections that change more than spelling are refused: the library takes
 * `not MIT at all` for MIT.
 */
function spelled(identifier: string): string | undefined {
  if (identifier.length > maxIdentifier || !/^[A-Za-z0-9 .,+-]+$/.test(identifier)) return undefined;
  const hyphenated = identifier.replaceAll(" ", "-");
  if (parsed(hyphenated) !== undefined) return hyphenated;
  const guess = correct(identifier, { upgrade: false });
  return guess !== null && squeeze(guess) === squeeze(identifier) ? guess : undefined;
}

/** Pieces of an expression: brackets, operators and the identifiers (of several words, perhaps) between them. */
function pieces(expression: string): readonly string[] {
  const result: string[] = [];
  let words: string[] = [];
  const flush = (): void => {
    if (words.length > 0) result.push(words.join(" "));
    words = [];
  };
  for (const word of expression.replace(/[()]/g, " $& ").split(/\s+/)) {
    if (/^(?:\(|\)|and|or|with)$/i.test(word)) {
      flush();
      result.push(word.toUpperCase());
    } else if (word !== "") words.push(word);
  }
  flush();
  return result;
}

/**
 * Reads a licence as people write it, `Apache 2.0 AND CC-BY-4.0`, as an SPDX expression (SPDX 2.3, annex D).
 * Nothing is guessed: what cannot be read stays `raw` only.
 */
export function readLicense(text: string): License {
  const raw = text.trim();
  if (parsed(raw) !== undefined) return { raw, spdx: raw };
  if (raw === "" || raw.length > maxCharacters) return { raw };
  const known = new Map<string, string | undefined>();
  const words: string[] = [];
  for (const piece of pieces(raw)) {
    if (!known.has(piece)) {
      const exact = /^(?:[()]|AND|OR|WITH)$/.test(piece) || parsed(piece) !== undefined;
      if (!exact && known.size >= maxCorrections) return { raw };
      // After WITH stands an exception, which is no licence: it has to be spelled as SPDX does.
      known.set(piece, exact || words.at(-1) === "WITH" ? piece : spelled(piece));
    }
    const word = known.get(piece);
    if (word === undefined) return { raw };
    words.push(word);
  }
  const spdx = words.join(" ").replaceAll("( ", "(").replaceAll(" )", ")");
  return parsed(spdx) === undefined ? { raw } : { raw, spdx };
}

/** One licence of an expression, with its versions apart: `GPL-2.0-or-later` is family GPL, version 2.0 and later. */
interface Term {
  readonly family: string;
  readonly version?: readonly number[];
  readonly later: boolean;
  readonly exception: string | undefined;
}

function toTerm(license: SpdxLicense): Term {
  const suffix = /-(?:only|or-later)$/.exec(license.license)?.[0] ?? "";
  const base = license.license.slice(0, license.license.length - suffix.length);
  const later = license.plus === true || suffix === "-or-later";
  const exception = license.exception;
  const split = base.includes("LicenseRef-") ? null : /^(.+)-(\d+(?:\.\d+)*)$/.exec(base);
  if (split?.[1] === undefined || split[2] === undefined) return { family: base, later, exception };
  return { family: split[1], version: split[2].split(".").map(Number), later, exception };
}

function compareVersions(left: Term, right: Term): number {
  const length = Math.max(left.version?.length ?? 0, right.version?.length ?? 0);
  for (let index = 0; index < length; index += 1) {
    const difference = (left.version?.[index] ?? 0) - (right.version?.[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** Can what is under `claim` be used under `entry`: do they share a version. Exceptions must be the same. */
function allows(entry: Term, claim: Term): boolean {
  if (entry.family !== claim.family || entry.exception !== claim.exception) return false;
  const order = compareVersions(claim, entry);
  return (
    order === 0 || (entry.later && order > 0) || (claim.later && order < 0) || (entry.later && claim.later)
  );
}

/** Does `entry` forbid the licence that is claimed. An entry without exception forbids it with any, too. */
function denies(entry: Term, claim: Term): boolean {
  if (entry.family !== claim.family) return false;
  if (entry.exception !== undefined && entry.exception !== claim.exception) return false;
  const order = compareVersions(claim, entry);
  return order === 0 || (entry.later && order > 0);
}

/** What an entry of a policy's list names, or undefined where it is not exactly one licence. */
function entryTerm(entry: string): Term | undefined {
  const expression = parsed(readLicense(entry).spdx ?? "");
  return expression === undefined || "conjunction" in expression ? undefined : toTerm(expression);
}

/** Is this text one licence that `licenseAllowed` can compare, such as `MIT` or `GPL-2.0-only WITH Classpath-exception-2.0`. */
export const isLicenseEntry = (entry: string): boolean => entryTerm(entry) !== undefined;

/** A policy's lists of licences. Without `allow`, all that are not denied are allowed. */
export interface LicenseLists {
  readonly allow?: readonly string[];
  readonly deny?: readonly string[];
}

/**
 * May a skill be used under an SPDX expression: for `OR` one allowed alternative is enough, for `AND` both sides
 * must be allowed. Time is linear in the expression times the lists. `LicenseRef-…` is compared literally; `+`
 * and `-or-later` reach the later versions. False where the expression, or an entry of `deny`, cannot be read;
 * an unreadable entry of `allow` allows nothing.
 */
export function licenseAllowed(spdx: string, lists: LicenseLists): boolean {
  const expression = parsed(spdx);
  const deny = (lists.deny ?? []).map(entryTerm);
  const allow = lists.allow?.map(entryTerm);
  if (expression === undefined || deny.includes(undefined)) return false;
  const allowed = (part: SpdxExpression): boolean => {
    if ("conjunction" in part) {
      return part.conjunction === "or"
        ? allowed(part.left) || allowed(part.right)
        : allowed(part.left) && allowed(part.right);
    }
    const claim = toTerm(part);
    if (deny.some((entry) => entry !== undefined && denies(entry, claim))) return false;
    return allow === undefined || allow.some((entry) => entry !== undefined && allows(entry, claim));
  };
  return allowed(expression);
}
