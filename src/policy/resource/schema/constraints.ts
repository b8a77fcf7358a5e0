import type { z } from "zod";
import { quoted } from "../../../text/printable.ts";

/** One rule of `x-kubernetes-validations`, with the same check for use without an API server. */
export interface Rule<T> {
  /** CEL over `self`. */
  readonly rule: string;
  /** The fault and its remedy; without its subject where `namesValue` is set, and then without a single quote. */
  readonly message: string;
  /** Of a text: the value is the subject of the message, for the API server names neither it nor its rule in words. */
  readonly namesValue?: true;
  /** True if a value is valid; must agree with `rule`. */
  readonly check: (value: T) => boolean;
}

const key = "x-kubernetes-validations";

/** Characters of a value in messages. */
const maxValue = 60;

/** The message of a rule, for a value that breaks it and for any. */
function messagesOf({ message, namesValue }: Rule<never>): {
  readonly about: (value: unknown) => string;
  readonly written: { readonly message: string; readonly messageExpression?: string };
} {
  if (namesValue !== true) return { about: () => message, written: { message } };
  const value = `(size(self) > ${maxValue} ? self.substring(0, ${maxValue - 1}) + '…' : self)`;
  return {
    about: (given) => `${quoted(String(given), maxValue)} ${message}`,
    written: { message: `it ${message}`, messageExpression: `'"' + ${value} + '" ${message}'` },
  };
}

/** Adds a rule to a schema, as CEL for the API server and as a check in this process. */
export function celRule<S extends z.ZodType>(schema: S, rule: Rule<z.output<S>>): S {
  const known = (schema.meta()?.[key] ?? []) as readonly object[];
  const { about, written } = messagesOf(rule);
  return schema
    .refine((value) => rule.check(value), { error: ({ input }) => about(input) })
    .meta({ [key]: [...known, { rule: rule.rule, ...written }] });
}

/** Requires exactly one of some members of an object. */
export function exactlyOne<S extends z.ZodType<Readonly<Record<string, unknown>>>>(
  schema: S,
  members: readonly [string, string, ...string[]],
): S {
  const [left, right, ...others] = members;
  const given = members.map((member) => `(has(self.${member}) ? 1 : 0)`);
  return celRule(schema, {
    rule: others.length === 0 ? `has(self.${left}) != has(self.${right})` : `${given.join(" + ")} == 1`,
    message: `give exactly one of ${members.slice(0, -1).join(", ")} and ${members.at(-1) ?? ""}`,
    check: (value) => members.filter((member) => Object.hasOwn(value, member)).length === 1,
  });
}

/**
 * Requires at least one member of an object with optional members: an empty one would look like a requirement and
 * be none.
 */
export const someMember = <S extends z.ZodType<object>>(schema: S): S =>
  schema
    .refine((value) => Object.keys(value).length > 0, {
      message: "give at least one member, or leave it out",
    })
    .meta({ minProperties: 1 });

/** A list without duplicate strings. */
export const asSet = <S extends z.ZodType<readonly string[]>>(schema: S): S =>
  schema
    .refine((items) => new Set(items).size === items.length, { message: "an entry stands twice" })
    .meta({ "x-kubernetes-list-type": "set" });

/** A list of named entries without duplicate names. */
export const byName = <S extends z.ZodType<readonly { readonly name: string }[]>>(schema: S): S =>
  schema
    .refine((items) => new Set(items.map(({ name }) => name)).size === items.length, {
      message: "two entries have the same name",
    })
    .meta({ "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"] });

/** A map with a maximum number of entries. */
export const atMost = <S extends z.ZodType<object>>(schema: S, count: number): S =>
  schema
    .refine((value) => Object.keys(value).length <= count, { message: `at most ${count} entries` })
    .meta({ maxProperties: count });
