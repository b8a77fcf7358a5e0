import { SourceError } from "../../skill/source-error.ts";
import type { SkillReference } from "../../skill/reference.ts";
import type { VolumeObjectRequest } from "../../skill/source.ts";
import { volumeObjectKey } from "../../kubernetes/volume-object.ts";
import { expand } from "../pod/environment.ts";
import { mayBeAbsent, type EnvironmentEntry, type EnvironmentObject } from "../pod/environment-sources.ts";
import { defined } from "../../text/fields.ts";
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
  /** Whether it may be unset, now or later: an optional ConfigMap that sets it is deleted without a review. */
  readonly mayBeUnset?: true;
}

const absent: Variable = { values: [], field: "env" };

/** Variables that refer to each other further than this count as unknown. */
const maxDepth = 8;

/** Variables that are looked up for one container, with those that they refer to; further ones count as unknown. */
const maxNames = 100;

/** Values that one variable may have by its sources; no real pod comes near. */
const maxValues = 8;

const describe = ({ kind, name }: EnvironmentObject): string => `${kind} ${name}`;

interface Found {
  readonly value?: string;
  readonly unknown?: string;
}

/** The value of one key: text, undefined for none, or the reason why it is not known. */
function valueOf(object: EnvironmentObject, key: string, objects: ReadObjects): Found {
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
  if (file === undefined && read.keys?.has(key) === false)
    return { unknown: `the ${describe(object)}, of which this key was not read` };
  return file === undefined ? {} : { value: Buffer.from(file.bytes).toString() };
}

/** Variables as one container has them; those that `env` refers to are as they stood before the entry that does. */
class Variables {
  readonly #container: Container;
  readonly #objects: ReadObjects;
  // A few names that refer to each other a thousand times each would take for ever.
  readonly #known = new Map<string, Variable>();

  constructor(container: Container, objects: ReadObjects) {
    this.#container = container;
    this.#objects = objects;
  }

  /** @param before index of the entry of `env` that asks; absent: the container's own processes do */
  variable(name: string, before?: number, depth = 0): Variable {
    const value = before === undefined ? this.#container.environment.get(name) : undefined;
    if (value !== undefined) return { values: value === "" ? [] : [value], field: "env" };
    const entries = this.#container.environmentSources.open.get(name) ?? [];
    const seen = before === undefined ? entries : entries.filter(({ index }) => index < before);
    const key = `${seen.length} ${name}`;
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    if (this.#known.size >= maxNames) return { ...absent, unknown: "more variables than are looked up" };
    const found = this.#find(name, seen, depth);
    this.#known.set(key, found);
    return found;
  }

  /** The last entry counts; where it may set nothing, so does the one before it, and `envFrom` in the end. */
  #find(name: string, entries: readonly EnvironmentEntry[], depth: number): Variable {
    const found: Variable[] = [];
    for (const entry of entries.toReversed()) {
      found.push(this.#fromEntry(entry, depth));
      if (!mayBeAbsent(entry)) return joined(found);
    }
    const rest = this.#fromEnvFrom(name);
    return { ...joined([...found, rest]), ...defined({ mayBeUnset: rest.mayBeUnset }) };
  }

  #fromEntry({ index, source }: EnvironmentEntry, depth: number): Variable {
    if (source.from === "elsewhere") return { ...absent, unknown: "a field that only the node knows" };
    if (source.from === "key") return asVariable(valueOf(source.object, source.key, this.#objects));
    const { text } = source;
    const expanded = expand(text, (other) => {
      if (depth >= maxDepth || text.length > podLimits.pathLength) return undefined;
      const { values, unknown, mayBeUnset } = this.variable(other, index, depth + 1);
      const isKnown = values.length === 1 && unknown === undefined && mayBeUnset === undefined;
      return isKnown ? values[0] : undefined;
    });
    return expanded === undefined
      ? { ...absent, unknown: `${text.slice(0, 80)}, whose parts are not known` }
      : asVariable({ value: expanded });
  }

  #fromEnvFrom(name: string): Variable {
    const { envFrom } = this.#container.environmentSources;
    const found: Variable[] = [];
    let isSet = false;
    for (const source of envFrom) {
      // Whoever names a Secret in full may set any variable by it; only HOME is worth asking for.
      if ((source.kind === "Secret" && name !== "HOME") || !name.startsWith(source.prefix)) continue;
      const one = asVariable(valueOf(source, name.slice(source.prefix.length), this.#objects), "envFrom");
      isSet ||= !source.optional && one.values.length > 0;
      found.push(one);
    }
    return isSet ? joined(found) : { ...joined(found), mayBeUnset: true };
  }
}

const asVariable = ({ value, unknown }: Found, field: Variable["field"] = "env"): Variable => ({
  values: value === undefined ? [] : [value],
  field,
  ...defined({ unknown }),
});

/** A variable that may have the value of each of these. */
function joined(found: readonly Variable[]): Variable {
  const [first = absent] = found;
  if (found.length < 2) return first;
  const values = [...new Set(found.flatMap((one) => one.values))];
  const unknown =
    found.find((one) => one.unknown !== undefined)?.unknown ??
    (values.length > maxValues ? `more than ${maxValues} objects` : undefined);
  const { field } = found.find((one) => one.values.length > 0) ?? first;
  return { values: values.slice(0, maxValues), field, ...defined({ unknown }) };
}

/** Reads a container's variables; `objects` are those of `environmentRequests`. */
export function containerVariables(container: Container, objects: ReadObjects): (name: string) => Variable {
  const variables = new Variables(container, objects);
  return (name) => variables.variable(name);
}

const references = /\$\(([^()]*)\)/g;

/** Names of variables whose values matter to where an agent looks, those that they refer to included. */
function namesThatMatter({ environment, environmentSources: { open } }: Container): ReadonlySet<string> {
  const names = new Set(rootVariables.values().filter((name) => environment.get(name) === undefined));
  for (const name of names) {
    for (const { source } of open.get(name) ?? []) {
      if (source.from !== "text" || source.text.length > podLimits.pathLength) continue;
      for (const [, other = ""] of source.text.matchAll(references))
        if (names.size < maxNames) names.add(other);
    }
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
  const named = [...names].flatMap((name) =>
    (open.get(name) ?? []).flatMap(({ source }) =>
      source.from === "key" ? [{ object: source.object, keys: [source.key] }] : [],
    ),
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
