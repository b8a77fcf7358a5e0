import type { Requirement } from "./label-selector.ts";

/**
 * What one label may be: `only` these values, or all `but` these; `absent` tells whether it may be missing. Closed
 * under intersection, union and difference, unlike the operators of a selector.
 */
export interface LabelValues {
  readonly listed: "only" | "but";
  readonly values: ReadonlySet<string>;
  readonly absent: boolean;
}

const of = (listed: LabelValues["listed"], values: Iterable<string>, absent: boolean): LabelValues => ({
  listed,
  values: new Set(values),
  absent,
});

/** Any value, or none: as if the label were not looked at. */
export const anyValue: LabelValues = of("but", [], true);

/** The values that a requirement allows. */
export function valuesOf({ operator, values = [] }: Requirement): LabelValues {
  switch (operator) {
    case "In":
      return of("only", values, false);
    case "NotIn":
      return of("but", values, true);
    case "Exists":
      return of("but", [], false);
    case "DoesNotExist":
      return of("only", [], true);
  }
}

const opposite = { only: "but", but: "only" } as const;

/** What is left of all by taking these away. */
const without = ({ listed, values, absent }: LabelValues): LabelValues => ({
  listed: opposite[listed],
  values,
  absent: !absent,
});

/** What both allow. */
export function intersection(one: LabelValues, other: LabelValues): LabelValues {
  const absent = one.absent && other.absent;
  if (one.listed === "but" && other.listed === "but")
    return { listed: "but", values: one.values.union(other.values), absent };
  if (one.listed === "only" && other.listed === "only")
    return { listed: "only", values: one.values.intersection(other.values), absent };
  const [only, but] = one.listed === "only" ? [one, other] : [other, one];
  return { listed: "only", values: only.values.difference(but.values), absent };
}

/** What one of both allows. */
export const union = (one: LabelValues, other: LabelValues): LabelValues =>
  without(intersection(without(one), without(other)));

/** What the first allows and the second does not. */
export const difference = (one: LabelValues, other: LabelValues): LabelValues =>
  intersection(one, without(other));

export const allowsNothing = ({ listed, values, absent }: LabelValues): boolean =>
  listed === "only" && values.size === 0 && !absent;

export const allowsAnything = ({ listed, values, absent }: LabelValues): boolean =>
  listed === "but" && values.size === 0 && absent;

/** The same in parts that a selector can express: there is no operator for "one of these, or missing". */
export const inParts = (allowed: LabelValues): readonly LabelValues[] =>
  allowed.listed === "only" && allowed.absent && allowed.values.size > 0
    ? [of("only", allowed.values, false), of("only", [], true)]
    : [allowed];

/** The requirements that one such part makes of a label. */
export function requirementsOf(key: string, { listed, values, absent }: LabelValues): readonly Requirement[] {
  const sorted = [...values].sort();
  if (listed === "only")
    return [absent ? { key, operator: "DoesNotExist" } : { key, operator: "In", values: sorted }];
  return [
    ...(absent ? [] : [{ key, operator: "Exists" } as const]),
    ...(sorted.length === 0 ? [] : [{ key, operator: "NotIn", values: sorted } as const]),
  ];
}
