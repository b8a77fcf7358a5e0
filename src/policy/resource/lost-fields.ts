import { isFields, type Fields } from "../../text/fields.ts";
import { metadataOf, type KubernetesObject } from "../../kubernetes/object.ts";
import { apiVersion } from "./kinds.ts";

/** Items of a list by the values of some of their fields, as `managedFields` names them: `k:{"name":"a"}`. */
function byKeys(list: readonly unknown[], names: readonly string[]): ReadonlyMap<string, unknown> {
  const keyOf = (item: unknown): string =>
    JSON.stringify(names.map((name) => (isFields(item) ? item[name] : undefined)));
  return new Map(list.map((item) => [keyOf(item), item]));
}

/** Finds the items of one list; each set of keys is looked up once, since lists have thousands of items. */
function itemFinder(list: readonly unknown[]): (keys: string) => unknown {
  const indexes = new Map<string, ReadonlyMap<string, unknown>>();
  return (keys) => {
    const wanted: unknown = JSON.parse(keys);
    if (!isFields(wanted)) return undefined;
    const names = Object.keys(wanted);
    const index = indexes.get(names.join()) ?? byKeys(list, names);
    indexes.set(names.join(), index);
    return index.get(JSON.stringify(Object.values(wanted)));
  };
}

/** Fields that are owned, by the FieldsV1 format, and absent in the value. */
function lostIn(owned: Fields, value: unknown, path: string): readonly string[] {
  const item = Array.isArray(value) ? itemFinder(value) : undefined;
  return Object.entries(owned).flatMap(([key, below]): readonly string[] => {
    if (!isFields(below)) return [];
    if (key.startsWith("k:")) return lostIn(below, item?.(key.slice(2)), path);
    if (!key.startsWith("f:") || !isFields(value)) return [];
    const name = key.slice(2);
    return Object.hasOwn(value, name) ? lostIn(below, value[name], `${path}.${name}`) : [`${path}.${name}`];
  });
}

/** Names of some fields, for a message. */
export const named = (fields: readonly string[], most = 5): string =>
  [...fields.slice(0, most), ...(fields.length > most ? [`${fields.length - most} more`] : [])].join(", ");

/**
 * Fields of `spec` that somebody wrote and that the API server does not show any more: it removes from what is stored
 * what a CustomResourceDefinition does not know, as after a rollback of it, but leaves their names in `managedFields`.
 * Of a list without keys only the whole is told there.
 */
export function lostFields(object: KubernetesObject): readonly string[] {
  const { managedFields } = metadataOf(object);
  if (!Array.isArray(managedFields)) return [];
  const lost = managedFields.flatMap((entry: unknown) => {
    if (!isFields(entry) || entry["apiVersion"] !== apiVersion || !isFields(entry["fieldsV1"])) return [];
    const spec = entry["fieldsV1"]["f:spec"];
    return isFields(spec) ? lostIn(spec, object["spec"], "spec") : [];
  });
  return [...new Set(lost)].sort();
}
