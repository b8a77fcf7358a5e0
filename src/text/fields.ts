import type { Json } from "./json.ts";

/** A JSON object of which no more is known than that it is one. */
export type Fields<Value = unknown> = Readonly<Record<string, Value>>;

/** Is it a JSON object: no list, no null. */
export function isFields(value: Json | undefined): value is Fields<Json>;
export function isFields(value: unknown): value is Fields;
export function isFields(value: unknown): boolean {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
