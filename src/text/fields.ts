import type { Json } from "./json.ts";

/** A JSON object with unknown members. */
export type Fields<Value = unknown> = Readonly<Record<string, Value>>;

/** Whether the value is a JSON object; lists and null are not. */
export function isFields(value: Json | undefined): value is Fields<Json>;
export function isFields(value: unknown): value is Fields;
export function isFields(value: unknown): boolean {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
