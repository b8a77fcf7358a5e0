import { isLabelKey, type LabelSelector, type Requirement } from "./label-selector.ts";
import {
  allowsAnything,
  allowsNothing,
  anyValue,
  difference,
  inParts,
  intersection,
  requirementsOf,
  union,
  valuesOf,
  type LabelValues,
} from "./label-values.ts";

/**
 * The objects that one selector selects: by key, what the label may be. All must hold; a key that is not named may be
 * anything. Each value can be expressed by a selector, see `inParts`.
 */
export type Selection = ReadonlyMap<string, LabelValues>;

/** Selects every object. */
export const everything: Selection = new Map();

/** The same with one label narrowed; undefined if nothing is left. */
function narrowed(selection: Selection, key: string, to: LabelValues): Selection | undefined {
  if (allowsNothing(to)) return undefined;
  const all = new Map(selection);
  if (allowsAnything(to)) all.delete(key);
  else all.set(key, to);
  return all;
}

/** @returns undefined if no object has both */
export function both(one: Selection, other: Selection): Selection | undefined {
  let found: Selection | undefined = one;
  for (const [key, allowed] of other)
    found = found && narrowed(found, key, intersection(found.get(key) ?? anyValue, allowed));
  return found;
}

/** No object has a label under a key that is none: such a requirement holds everywhere or nowhere. */
function required(requirement: Requirement): Selection | undefined {
  const allowed = valuesOf(requirement);
  if (isLabelKey(requirement.key)) return new Map([[requirement.key, allowed]]);
  return allowed.absent ? everything : undefined;
}

/** @returns undefined for a selector that no object can match */
export function selectionOf({
  matchLabels = {},
  matchExpressions = [],
}: LabelSelector): Selection | undefined {
  const exactly = Object.entries(matchLabels).map(([key, value]): Requirement => ({
    key,
    operator: "In",
    values: [value],
  }));
  return [...exactly, ...matchExpressions].reduce<Selection | undefined>((found, requirement) => {
    const more = required(requirement);
    return found && more && both(found, more);
  }, everything);
}

/** The first without the second, in parts that have no object in common. */
export function minus(from: Selection, taken: Selection): readonly Selection[] {
  if (both(from, taken) === undefined) return [from];
  const parts: Selection[] = [];
  let rest: Selection = from;
  for (const [key, allowed] of taken) {
    const present = rest.get(key) ?? anyValue;
    for (const part of inParts(difference(present, allowed))) {
      const outside = narrowed(rest, key, part);
      if (outside !== undefined) parts.push(outside);
    }
    // Never empty: the two have something in common.
    rest = narrowed(rest, key, intersection(present, allowed)) ?? rest;
  }
  return parts;
}

/** True if every object of the second is in the first. */
export const includes = (outer: Selection, inner: Selection): boolean =>
  [...outer].every(([key, allowed]) => allowsNothing(difference(inner.get(key) ?? anyValue, allowed)));

/** Both as one, where a selector can express exactly these: one has the other, or they differ in one label. */
export function asOne(one: Selection, other: Selection): Selection | undefined {
  if (includes(one, other)) return one;
  if (includes(other, one)) return other;
  const keys = new Set([...one.keys(), ...other.keys()]);
  const differing = [...keys].filter((key) => !alike(one.get(key), other.get(key)));
  const [key, ...more] = differing;
  const [here, there] = [one.get(key ?? ""), other.get(key ?? "")];
  if (key === undefined || more.length > 0 || here === undefined || there === undefined) return undefined;
  const joined = union(here, there);
  return inParts(joined).length === 1 ? narrowed(one, key, joined) : undefined;
}

const alike = (one: LabelValues | undefined, other: LabelValues | undefined): boolean =>
  one !== undefined &&
  other !== undefined &&
  one.listed === other.listed &&
  one.absent === other.absent &&
  one.values.size === other.values.size &&
  one.values.isSubsetOf(other.values);

/** The selector of exactly these objects; the same for the same selection, whatever it was made from. */
export const selectorOf = (selection: Selection): LabelSelector => ({
  matchExpressions: [...selection]
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .flatMap(([key, allowed]) => requirementsOf(key, allowed)),
});
