import type { VolumeObjectRef } from "../../skill/source.ts";
import { isFields, type Fields } from "../../text/fields.ts";
import type { PodSubject } from "./pod-subject.ts";
import { objectProjections, objectVolumes } from "./object-types.ts";

type Name = Pick<VolumeObjectRef, "kind" | "name">;

/** The objects that a volume or projected source names by one of these types. */
const namedBy = (entry: Fields, types: typeof objectVolumes): readonly Name[] =>
  [...types].flatMap(([type, { kind, nameField }]) => {
    const source = entry[type];
    const name = isFields(source) ? source[nameField] : undefined;
    return typeof name === "string" && name !== "" ? [{ kind, name }] : [];
  });

function namesOf(volume: Fields): readonly Name[] {
  const { projected } = volume;
  const sources: readonly unknown[] =
    isFields(projected) && Array.isArray(projected["sources"])
      ? (projected["sources"] as readonly unknown[])
      : [];
  return [
    ...namedBy(volume, objectVolumes),
    ...sources.filter(isFields).flatMap((source) => namedBy(source, objectProjections)),
  ];
}

const fieldsIn = (list: unknown): readonly Fields[] =>
  Array.isArray(list) ? (list as readonly unknown[]).filter(isFields) : [];

/** Where every pod has its token: variables decide nothing of it. */
export const tokenPath = "/var/run/secrets/kubernetes.io/serviceaccount";

const containersOf = ({ spec }: PodSubject): readonly Fields[] =>
  ["initContainers", "containers", "ephemeralContainers"].flatMap((list) => fieldsIn(spec[list]));

/** The ConfigMaps that hold a container's variables. */
function variableNames({ env, envFrom }: Fields): readonly Name[] {
  const refs = [
    ...fieldsIn(envFrom).map(({ configMapRef }) => configMapRef),
    ...fieldsIn(env).map(({ valueFrom }) => (isFields(valueFrom) ? valueFrom["configMapKeyRef"] : undefined)),
  ];
  return refs.flatMap((ref) => {
    const name = isFields(ref) ? ref["name"] : undefined;
    return typeof name === "string" && name !== "" ? [{ kind: "ConfigMap", name } as const] : [];
  });
}

/** The ConfigMaps that hold variables of containers which mount more than their token: these may move skill roots. */
const environmentNames = (pod: PodSubject): readonly Name[] =>
  containersOf(pod)
    .filter(({ volumeMounts }) => fieldsIn(volumeMounts).some(({ mountPath }) => mountPath !== tokenPath))
    .flatMap(variableNames);

const volumeNames = ({ spec }: PodSubject): readonly Name[] => fieldsIn(spec["volumes"]).flatMap(namesOf);

/**
 * The ConfigMaps and Secrets that a pod's volumes name, each once, mounted or not: an ephemeral container can mount a
 * volume later; and the ConfigMaps of variables that may move skill roots. Never throws: malformed fields name nothing,
 * and the pod's own review denies them.
 */
export function objectNames(pod: PodSubject): readonly VolumeObjectRef[] {
  const refs = new Map<string, VolumeObjectRef>();
  for (const { kind, name } of [...volumeNames(pod), ...environmentNames(pod)]) {
    refs.set(`${kind}/${name}`, { kind, namespace: pod.namespace, name });
  }
  return [...refs.values()];
}

/** The names of all ConfigMaps that a pod's volumes and variables name: its node reads them for it, mounted or not. */
export const namedConfigMaps = (pod: PodSubject): readonly string[] => [
  ...new Set(
    [...volumeNames(pod), ...containersOf(pod).flatMap(variableNames)].flatMap(({ kind, name }) =>
      kind === "ConfigMap" ? [name] : [],
    ),
  ),
];
