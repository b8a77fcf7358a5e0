import { defined, type Fields } from "../text/fields.ts";
import { membersOf, readMembers } from "../text/json-members.ts";
import { parseStrictJson, type Json } from "../text/json.ts";
import type { KubernetesObject } from "./object.ts";

/** A ConfigMap whose fields are text still: it may have a hundred thousand values, most of which nobody asks for. */
export type UnreadObject = ReadonlyMap<string, string>;

/** Fields of `metadata` that a change is judged by; `managedFields` names every key again. */
const metadataFields = [
  "name",
  "namespace",
  "uid",
  "resourceVersion",
  "creationTimestamp",
  "deletionTimestamp",
  "finalizers",
] as const;

/** The object without its content. @throws JsonError */
export function frontOf(object: UnreadObject): KubernetesObject {
  const metadata = membersOf(object.get("metadata") ?? "{}");
  const read = (field: string): Json | undefined => {
    const text = metadata.get(field);
    return text === undefined
      ? undefined
      : parseStrictJson(text, field === "finalizers" ? maxFinalizers : maxValues);
  };
  const fields = Object.fromEntries(metadataFields.map((field) => [field, read(field)]));
  const immutable = object.get("immutable");
  return {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: defined(fields),
    ...(immutable === undefined ? {} : { immutable: parseStrictJson(immutable, maxValues) }),
  };
}

/** Values of a field that is one by rights. */
const maxValues = 1;
const maxFinalizers = 100;

/**
 * Reads an object with its content, in small steps.
 * @param keys of the content that are read; undefined: all
 * @param yieldToEventLoop lets other work run; its error ends the reading
 * @throws JsonError
 */
export async function readLarge(
  object: UnreadObject,
  keys: ReadonlySet<string> | undefined,
  yieldToEventLoop: () => Promise<void>,
): Promise<KubernetesObject> {
  const read = (field: string): Promise<Fields<Json>> => {
    const text = object.get(field) ?? "null";
    return text === "null" ? Promise.resolve({}) : readMembers(text, keys, yieldToEventLoop);
  };
  return { ...frontOf(object), data: await read("data"), binaryData: await read("binaryData") };
}
