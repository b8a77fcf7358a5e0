import correct from "spdx-correct";
import parse, { type SpdxExpression, type SpdxLicense } from "spdx-expression-parse";

const maxCharacters = 4096;
const maxIdentifier = 64;
/** Correcting one misspelt identifier takes about a millisecond. */
const maxCorrections = 16;

/** A licence as a card states it. */
export interface License {
  readonly raw: string;
  /** The SPDX expression; absent if the text is none. */
  readonly spdx?: string;
}

/** Compares licences by the letters and digits that matter: `The Apache License, Version 2.0` and `Apache-2.0` are one. */
const squeeze = (identifier: string): string =>
  identifier
    .toLowerCase()
    .replace(/\b(?:the|licen[cs]e|version)\b/g, "")
    .replace(/[^a-z0-9+]/g, "");

function parsed(expression: string): SpdxExpression | undefined {
  // The library's scanner skips unknown characters: only those of SPDX may reach it.
  if (expression.length > maxCharacters || !/^[A-Za-z0-9.+:() -]+$/.test(expression)) return undefined;
  try {
    return parse(expression);
  } catch {
    return undefined;
  }
}

/** The identifier in SPDX's spelling. Only the spelling may be corrected: the library takes `not MIT at all` for MIT. */
function spelled(identifier: string): string | undefined {
  if (identifier.length > maxIdentifier || !/^[A-Za-z0-9 .,+-]+$/.test(identifier)) return undefined;
  const hyphenated = identifier.replaceAll(" ", "-");
  if (parsed(hyphenated) !== undefined) return hyphenated;
  const guess = correct(identifier, { upgrade: false });
  return guess !== null && squeeze(guess) === squeeze(identifier) ? guess : undefined;
}

/** Splits an expression into brackets, operators, and the identifiers between them, which may be several words. */
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
 * Reads a licence as people write it, `Apache 2.0 AND CC-BY-4.0`, as an SPDX expression (SPDX 2.3, annex D). Nothing
 * is guessed: an unreadable licence has `raw` only.
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
      // An exception stands after WITH and is no licence: only SPDX's own spelling counts.
      known.set(piece, exact || words.at(-1) === "WITH" ? piece : spelled(piece));
    }
    const word = known.get(piece);
    if (word === undefined) return { raw };
    words.push(word);
  }
  const spdx = words.join(" ").replaceAll("( ", "(").replaceAll(" )", ")");
  return parsed(spdx) === undefined ? { raw } : { raw, spdx };
}

/** One licence of an expression, its version apart: `GPL-2.0-or-later` is family GPL, version 2.0 and later. */
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

/** Whether the two share a version, so that a skill under `claim` can be used under `entry`. Exceptions must be equal. */
function allows(entry: Term, claim: Term): boolean {
  if (entry.family !== claim.family || entry.exception !== claim.exception) return false;
  const order = compareVersions(claim, entry);
  return (
    order === 0 || (entry.later && order > 0) || (claim.later && order < 0) || (entry.later && claim.later)
  );
}

/** Whether `entry` forbids the claimed licence. An entry without exception forbids it with every exception. */
function denies(entry: Term, claim: Term): boolean {
  if (entry.family !== claim.family) return false;
  if (entry.exception !== undefined && entry.exception !== claim.exception) return false;
  const order = compareVersions(claim, entry);
  return order === 0 || (entry.later && order > 0);
}

/** The licence that an entry of a policy's list names; undefined unless it is exactly one. */
function entryTerm(entry: string): Term | undefined {
  const expression = parsed(readLicense(entry).spdx ?? "");
  return expression === undefined || "conjunction" in expression ? undefined : toTerm(expression);
}

/**
 * Whether the text is one licence that `licenseAllowed` can compare: `MIT`, `GPL-2.0-only WITH
 * Classpath-exception-2.0`.
 */
export const isLicenseEntry = (entry: string): boolean => entryTerm(entry) !== undefined;

/** A policy's lists of licences. Without `allow`, every licence is allowed that is not denied. */
export interface LicenseLists {
  readonly allow?: readonly string[];
  readonly deny?: readonly string[];
}

/**
 * Whether a skill may be used under an SPDX expression. `OR` needs one allowed side, `AND` both. `+` and `-or-later`
 * reach later versions; `LicenseRef-…` is compared literally. False if the expression or an entry of `deny` is
 * unreadable; an unreadable entry of `allow` allows nothing. Takes time linear in the expression times the lists.
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
