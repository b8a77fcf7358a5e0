import { SourceError } from "../../skill/source-error.ts";
import type { SkillReference } from "../../skill/reference.ts";
import type { VolumeObjectRequest } from "../../skill/source.ts";
import { volumeObjectKey } from "../../kubernetes/volume-object.ts";
import { expand } from "../pod/environment.ts";
import type { EnvironmentObject } from "../pod/environment-sources.ts";
import { podLimits } from "../pod/limits.ts";
import type { Container } from "../pod/pod-spec.ts";
import type { ReadObjects } from "../pod/volume-view.ts";
import { rootVariables } from "./moving-variables.ts";

/** A variable of a container, as far as the pod and its ConfigMaps tell. */
export interface Variable {
  /** Values that it may have. Several: which entry of `envFrom` wins is not relied on. */
  readonly values: readonly string[];
  /** The field that sets it, for messages. */
  readonly field: "env" | "envFrom";
  /** Where a value comes from that is not known. */
  readonly unknown?: string;
}

const absent: Variable = { values: [], field: "env" };

/** Variables that refer to each other further than this count as unknown. */
const maxDepth = 8;

/** Variables that are looked up for one container, with those that they refer to; further ones count as unknown. */
const maxNames = 100;

/** Values that one variable may have by its sources; no real pod comes near. */
const maxValues = 8;

const describe = ({ kind, name }: EnvironmentObject): string => `${kind} ${name}`;

/** The value of one key: text, undefined for none, or the reason why it is not known. */
function valueOf(
  object: EnvironmentObject,
  key: string,
  objects: ReadObjects,
): { readonly value?: string; readonly unknown?: string } {
  const at = volumeObjectKey(object);
  const read = objects.get(at);
  if (object.kind === "Secret") return { unknown: `the ${describe(object)}, which is not read` };
  if (read instanceof SourceError) return { unknown: `the ${describe(object)}, which could not be read` };
  if (read === undefined) {
    if (objects.has(at) && object.optional) return {};
    const fault = objects.has(at) ? "does not exist yet" : "was not read";
    return { unknown: `the ${describe(object)}, which ${fault}` };
  }
  const file = read.files.get(key);
  return file === undefined ? {} : { value: Buffer.from(file.bytes).toString() };
}

/** Reads a container's variables; `objects` are those of `environmentRequests`. */
export function containerVariables(
  { environment, environmentSources: { envFrom, open } }: Container,
  objects: ReadObjects,
): (name: string) => Variable {
  const fromEnvFrom = (name: string): Variable => {
    const found = envFrom.flatMap((source) => {
      // Whoever names a Secret in full may set any variable by it; only HOME is worth asking for.
      if (source.kind === "Secret" && name !== "HOME") return [];
      return name.startsWith(source.prefix)
        ? [valueOf(source, name.slice(source.prefix.length), objects)]
        : [];
    });
    const values = [...new Set(found.flatMap(({ value }) => value ?? []))];
    const unknown =
      found.find((one) => one.unknown !== undefined)?.unknown ??
      (values.length > maxValues ? `more than ${maxValues} objects` : undefined);
    return {
      values: values.slice(0, maxValues),
      field: "envFrom",
      ...(unknown === undefined ? {} : { unknown }),
    };
  };
  // A few names that refer to each other a thousand times each would take for ever.
  const known = new Map<string, Variable>();
  const variable = (name: string, depth: number): Variable => {
    const before = known.get(name);
    if (before !== undefined) return before;
    if (known.size >= maxNames) return { ...absent, unknown: "more variables than are looked up" };
    const found = find(name, depth);
    known.set(name, found);
    return found;
  };
  const find = (name: string, depth: number): Variable => {
    const value = environment.get(name);
    if (value !== undefined) return { values: value === "" ? [] : [value], field: "env" };
    const source = open.get(name);
    if (source === undefined) return envFrom.length === 0 ? absent : fromEnvFrom(name);
    if (source.from === "elsewhere") return { ...absent, unknown: "a field that only the node knows" };
    if (source.from === "key") {
      const { value: text, unknown } = valueOf(source.object, source.key, objects);
      if (unknown !== undefined) return { ...absent, unknown };
      return { ...absent, values: text === undefined ? [] : [text] };
    }
    const expanded = expand(source.text, (other) => {
      if (depth >= maxDepth || source.text.length > podLimits.pathLength) return undefined;
      const { values, unknown } = other === name ? fromEnvFrom(other) : variable(other, depth + 1);
      return values.length === 1 && unknown === undefined ? values[0] : undefined;
    });
    if (expanded === undefined)
      return { ...absent, unknown: `${source.text.slice(0, 80)}, whose parts are not known` };
    return { ...absent, values: [expanded] };
  };
  return (name) => variable(name, 0);
}

const references = /\$\(([^()]*)\)/g;

/** Names of variables whose values matter to where an agent looks, those that they refer to included. */
function namesThatMatter({ environment, environmentSources: { open } }: Container): ReadonlySet<string> {
  const names = new Set(rootVariables.values().filter((name) => environment.get(name) === undefined));
  for (const name of names) {
    const source = open.get(name);
    if (source?.from !== "text" || source.text.length > podLimits.pathLength) continue;
    for (const [, other = ""] of source.text.matchAll(references))
      if (names.size < maxNames) names.add(other);
  }
  return names;
}

/** The ConfigMaps to read for a container's variables, with the keys that matter only. */
export function environmentRequests(container: Container, namespace: string): readonly VolumeObjectRequest[] {
  const { envFrom, open } = container.environmentSources;
  if (envFrom.length + open.size === 0) return [];
  const names = namesThatMatter(container);
  const keysOf = envFrom.flatMap((source) => {
    if (source.kind === "Secret") return [];
    const keys = [...names].flatMap((name) =>
      name.startsWith(source.prefix) ? [name.slice(source.prefix.length)] : [],
    );
    return { object: source, keys };
  });
  const named = [...open].flatMap(([name, source]) =>
    source.from === "key" && names.has(name) ? [{ object: source.object, keys: [source.key] }] : [],
  );
  return [...keysOf, ...named].flatMap(({ object: { kind, name }, keys }) =>
    kind === "ConfigMap" && keys.length > 0 ? [{ kind, namespace, name, keys: new Set(keys) }] : [],
  );
}

/** References for ConfigMaps of variables whose reading failed: where the container looks is not known then. */
export function failedVariables(container: Container, objects: ReadObjects): readonly SkillReference[] {
  return environmentRequests(container, "").flatMap(({ kind, name }) => {
    const read = objects.get(volumeObjectKey({ kind, name }));
    if (!(read instanceof SourceError)) return [];
    const detail = `the variables of ConfigMap ${name}, which may move skill roots, could not be read: ${read.message}`;
    const reference: SkillReference = {
      name,
      path: "/",
      containers: [container.name],
      sources: [{ kind, name, writable: false }],
      content: { state: "unavailable", code: read.code, detail },
    };
    return [reference];
  });
}
