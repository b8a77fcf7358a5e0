import { isFields, type Fields } from "../text/fields.ts";
import { expand } from "./pod/environment.ts";
import { tellsAgent } from "./roots/moved-roots.ts";
import { rootVariables } from "./roots/moving-variables.ts";

const containerLists = ["initContainers", "containers", "ephemeralContainers"] as const;

/** Fields of a container that decide which files it sees, where it looks for skills, and whose files it reaches. */
const containerFields = [
  "name",
  "image",
  "workingDir",
  "env",
  "envFrom",
  "volumeMounts",
  "volumeDevices",
  "terminationMessagePath",
  "securityContext",
  "targetContainerName",
];
const specFields = ["volumes", "hostPID", "shareProcessNamespace", "securityContext"];

const pick = (from: Fields, names: readonly string[]): Fields =>
  Object.fromEntries(names.filter((name) => from[name] !== undefined).map((name) => [name, from[name]]));

/** Replaces the objects of a list. Whatever else there is stays, to be recognised as malformed later. */
const mapFields = (list: unknown, replace: (item: Fields) => Fields): unknown =>
  Array.isArray(list) ? list.map((item: unknown) => (isFields(item) ? replace(item) : item)) : list;

const fieldsIn = (list: unknown): readonly Fields[] =>
  Array.isArray(list) ? (list as readonly unknown[]).filter(isFields) : [];

/**
 * A pod's spec reduced to the fields that are read of a pod that is stored: for its skills, for changes of its objects,
 * and for messages. Replicas of one template are equal then: the API server gives the volume of an account's token a
 * name of chance in each pod, which is blanked.
 */
export function reducedSpec(spec: Fields): Fields {
  const rename = tokenVolumeRenamed(spec);
  const reduced: Record<string, unknown> = { ...pick(spec, specFields) };
  if (spec["volumes"] !== undefined) reduced["volumes"] = mapFields(spec["volumes"], rename);
  for (const list of containerLists) {
    if (spec[list] === undefined) continue;
    reduced[list] = mapFields(spec[list], (container) => reducedContainer(container, rename));
  }
  return reduced;
}

type Rename = (entry: Fields) => Fields;

/** Names that the API server's admission gives, five characters of chance at their end. */
const tokenVolume = /^kube-api-access-[a-z0-9]{5}$/;

/** Blanks what is chance in the name of the token's volume; two of them would get one name, and stay. */
function tokenVolumeRenamed({ volumes }: Fields): Rename {
  const names = fieldsIn(volumes).flatMap(({ name }) =>
    typeof name === "string" && tokenVolume.test(name) ? [name] : [],
  );
  if (names.length !== 1) return (entry) => entry;
  return (entry) => (entry["name"] === names[0] ? { ...entry, name: "kube-api-access-*" } : entry);
}

function reducedContainer(container: Fields, rename: Rename): Fields {
  const reduced: Record<string, unknown> = { ...pick(container, containerFields) };
  if (container["volumeMounts"] !== undefined)
    reduced["volumeMounts"] = mapFields(container["volumeMounts"], rename);
  const { env } = container;
  if (!Array.isArray(env)) return reduced;
  const names = variablesThatMatter(container);
  let isTold = false;
  reduced["env"] = env.flatMap((entry: unknown) => {
    const name = isFields(entry) ? entry["name"] : undefined;
    if (typeof name !== "string" || names.has(name)) return [entry];
    if (isTold || !tellsAgent(name)) return [];
    isTold = true;
    return [{ name }];
  });
  return reduced;
}

/**
 * Names of variables that move a root or come into a `subPathExpr`, and of those that these refer to. All others, of
 * which a pod may have a megabyte, name no path.
 */
function variablesThatMatter({ env, volumeMounts }: Fields): ReadonlySet<string> {
  const values = Map.groupBy(fieldsIn(env), ({ name }) => name);
  const names = new Set(rootVariables);
  const addReferred = (text: unknown): void => {
    if (typeof text !== "string" || !text.includes("$(")) return;
    expand(text, (name) => {
      names.add(name);
      return "";
    });
  };
  for (const { subPathExpr } of fieldsIn(volumeMounts)) addReferred(subPathExpr);
  // Names that are added meanwhile are gone through as well.
  for (const name of names) for (const { value } of values.get(name) ?? []) addReferred(value);
  return names;
}
