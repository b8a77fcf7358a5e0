import { z } from "zod";
import { isFields, type Fields } from "../../text/fields.ts";
import { ownResources, version, type OwnKind } from "./kinds.ts";

const member = (value: unknown, name: string): unknown => (isFields(value) ? value[name] : undefined);

/** Schemas directly below one: the fields by name; items of a list and values of a map under no name of their own. */
function below(schema: unknown): readonly (readonly [name: string, schema: unknown])[] {
  const properties = member(schema, "properties");
  const inner = [member(schema, "items"), member(schema, "additionalProperties")].filter(isFields);
  return [
    ...Object.entries(isFields(properties) ? properties : {}),
    ...inner.flatMap((items) => below(items)),
  ];
}

/** Paths of all fields that a schema knows, in the order of the alphabet. */
export function fieldPaths(schema: unknown, path: string): readonly string[] {
  const paths = below(schema).flatMap(([name, field]) => [
    `${path}.${name}`,
    ...fieldPaths(field, `${path}.${name}`),
  ]);
  return [...new Set(paths)].sort();
}

/** Paths that `schema` knows and `served` does not; of a field that is missing, not those below it. */
function missingIn(schema: unknown, served: unknown, path: string): readonly string[] {
  if (member(served, "x-kubernetes-preserve-unknown-fields") === true) return [];
  const there = new Map(below(served));
  return below(schema).flatMap(([name, field]) =>
    there.has(name) ? missingIn(field, there.get(name), `${path}.${name}`) : [`${path}.${name}`],
  );
}

/** The schema of a kind's `spec`, as this version knows it. */
const ownSchema = (kind: OwnKind): unknown =>
  z.toJSONSchema(ownResources[kind].spec, { target: "openapi-3.0", io: "input", reused: "inline" });

/** Fields of a kind's `spec` that this version knows, and the API server removes by its CustomResourceDefinition. */
export function unservedFields(kind: OwnKind, definition: Fields): readonly string[] {
  const versions = member(definition["spec"], "versions");
  const served = (Array.isArray(versions) ? versions : []).find(
    (one: unknown) => member(one, "name") === version && member(one, "served") === true,
  ) as unknown;
  const whole = member(member(served, "schema"), "openAPIV3Schema");
  return missingIn(ownSchema(kind), member(member(whole, "properties"), "spec"), "spec");
}
