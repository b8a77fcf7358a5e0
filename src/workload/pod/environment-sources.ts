import type { Fields } from "../../text/fields.ts";
import {
  fieldsAt,
  flagAt,
  listAt,
  optionalFields,
  optionalText,
  textAt,
} from "../../kubernetes/read-fields.ts";
import type { VolumeObjectRef } from "../../skill/source.ts";
import type { Environment } from "./environment.ts";
import { podLimits } from "./limits.ts";

/** An object whose keys become variables. */
export interface EnvironmentObject {
  readonly kind: VolumeObjectRef["kind"];
  readonly name: string;
  readonly optional: boolean;
}

/** One entry of `envFrom`: every key of the object becomes a variable, named `prefix` + key. */
export interface EnvironmentFrom extends EnvironmentObject {
  readonly prefix: string;
}

/** Where one entry of `env` takes its value from. */
export type VariableSource =
  | { readonly from: "text"; readonly text: string }
  | { readonly from: "key"; readonly object: EnvironmentObject; readonly key: string }
  | { readonly from: "elsewhere"; readonly optional: boolean };

/** One entry of `env`. Names may stand there several times. */
export interface EnvironmentEntry {
  /** Its place in the list: it sees what stands before it. */
  readonly index: number;
  readonly source: VariableSource;
}

/** Where a container's variables come from that the pod itself does not settle. */
export interface EnvironmentSources {
  /** Each once. `env` wins over all; which of these wins is not relied on. */
  readonly envFrom: readonly EnvironmentFrom[];
  /** All entries by name, in order; empty if the pod settles every one. */
  readonly open: ReadonlyMap<string, readonly EnvironmentEntry[]>;
}

/** Whether an entry may set nothing, so that what stands before it stays: its source is optional. */
export const mayBeAbsent = ({ source }: EnvironmentEntry): boolean =>
  source.from === "key" ? source.object.optional : source.from === "elsewhere" && source.optional;

/** Entries of one name that are told apart; no real pod has as many. */
const maxEntries = 32;

/** Stands for more entries: what they come to counts as not known. */
const tooMany: readonly EnvironmentEntry[] = [{ index: -1, source: { from: "elsewhere", optional: false } }];

const settled: EnvironmentSources = { envFrom: [], open: new Map() };

const objectRefs = [
  ["ConfigMap", "configMapRef", "configMapKeyRef"],
  ["Secret", "secretRef", "secretKeyRef"],
] as const;

const objectOf = (kind: VolumeObjectRef["kind"], ref: Fields, field: string): EnvironmentObject => ({
  kind,
  name: textAt(ref["name"], `${field}.name`),
  optional: flagAt(ref["optional"], `${field}.optional`),
});

function fromOf(entry: unknown, field: string): readonly EnvironmentFrom[] {
  const source = fieldsAt(entry, field);
  const prefix = optionalText(source["prefix"], `${field}.prefix`) ?? "";
  return objectRefs.flatMap(([kind, name]) => {
    const ref = optionalFields(source[name], `${field}.${name}`);
    return ref === undefined ? [] : [{ ...objectOf(kind, ref, `${field}.${name}`), prefix }];
  });
}

function sourceOf(variable: Fields, field: string): VariableSource {
  const source = optionalFields(variable["valueFrom"], `${field}.valueFrom`);
  if (source === undefined)
    return { from: "text", text: optionalText(variable["value"], `${field}.value`) ?? "" };
  for (const [kind, , name] of objectRefs) {
    const at = `${field}.valueFrom.${name}`;
    const ref = optionalFields(source[name], at);
    if (ref !== undefined)
      return { from: "key", object: objectOf(kind, ref, at), key: textAt(ref["key"], `${at}.key`) };
  }
  const at = `${field}.valueFrom.fileKeyRef`;
  const file = optionalFields(source["fileKeyRef"], at);
  return { from: "elsewhere", optional: flagAt(file?.["optional"], `${at}.optional`) };
}

/**
 * The sources of `envFrom`, and of `env` if `environment` leaves any variable open.
 * @throws SourceError SOURCE_MALFORMED naming the field
 */
export function environmentSources(
  container: Fields,
  field: string,
  environment: Environment,
): EnvironmentSources {
  const envFrom = new Map<string, EnvironmentFrom>();
  for (const [index, entry] of listAt(container["envFrom"], `${field}.envFrom`, podLimits.items).entries()) {
    for (const source of fromOf(entry, `${field}.envFrom[${index}]`))
      envFrom.set(JSON.stringify([source.kind, source.name, source.prefix, source.optional]), source);
  }
  const open = new Map<string, EnvironmentEntry[]>();
  if (environment.values().some((value) => value === undefined)) {
    for (const [index, entry] of listAt(container["env"], `${field}.env`, podLimits.items).entries()) {
      const at = `${field}.env[${index}]`;
      const variable = fieldsAt(entry, at);
      const name = textAt(variable["name"], `${at}.name`);
      const entries = open.get(name) ?? [];
      open.set(name, entries);
      entries.push({ index, source: sourceOf(variable, at) });
    }
  }
  if (envFrom.size + open.size === 0) return settled;
  const told = open.entries().map(([name, all]) => [name, all.length > maxEntries ? tooMany : all] as const);
  return { envFrom: [...envFrom.values()], open: new Map(told) };
}
