import type { Json } from "./json.ts";

/** A JSON object with unknown members. */
export type Fields<Value = unknown> = Readonly<Record<string, Value>>;

/** Whether the value is a JSON object; lists and null are not. */
export function isFields(value: Json | undefined): value is Fields<Json>;
export function isFields(value: unknown): value is Fields;
export function isFields(value: unknown): boolean {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Members that may be undefined become optional ones. */
type Defined<T> = { readonly [K in keyof T as undefined extends T[K] ? never : K]: T[K] } & {
  readonly [K in keyof T as undefined extends T[K] ? K : never]?: Exclude<T[K], undefined>;
};

/** The members that are not undefined: an absent member and one that is undefined are different things to a reader of JSON. */
export function defined<T extends object>(members: T): Defined<T> {
  const kept: Record<string, unknown> = {};
  for (const [key, value] of Object.entries<unknown>(members as Fields))
    if (value !== undefined) kept[key] = value;
  return kept as Defined<T>;
}
