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

/**
 * The ConfigMaps and Secrets that a pod's volumes name, each once, mounted or not: an ephemeral container can mount a
 * volume later. Never throws: malformed fields name nothing, and the pod's own review denies them.
 */
export function objectNames(pod: PodSubject): readonly VolumeObjectRef[] {
  const volumes: unknown = pod.spec["volumes"];
  if (!Array.isArray(volumes)) return [];
  const refs = new Map<string, VolumeObjectRef>();
  for (const volume of volumes as readonly unknown[]) {
    if (!isFields(volume)) continue;
    for (const { kind, name } of namesOf(volume)) {
      refs.set(`${kind}/${name}`, { kind, namespace: pod.namespace, name });
    }
  }
  return [...refs.values()];
}
