import type { VolumeObjectRef } from "../../skill/source.ts";
import { isFields, type Fields } from "../../text/fields.ts";
import type { PodSubject } from "./pod-subject.ts";

type Name = Pick<VolumeObjectRef, "kind" | "name">;

function nameIn(source: unknown, field: string, kind: Name["kind"]): readonly Name[] {
  if (!isFields(source)) return [];
  const name = source[field];
  return typeof name === "string" && name !== "" ? [{ kind, name }] : [];
}

function namesOf(volume: Fields): readonly Name[] {
  const { projected } = volume;
  const sources: readonly unknown[] =
    isFields(projected) && Array.isArray(projected["sources"])
      ? (projected["sources"] as readonly unknown[])
      : [];
  return [
    ...nameIn(volume["configMap"], "name", "ConfigMap"),
    ...nameIn(volume["secret"], "secretName", "Secret"),
    ...sources
      .filter(isFields)
      .flatMap((source) => [
        ...nameIn(source["configMap"], "name", "ConfigMap"),
        ...nameIn(source["secret"], "name", "Secret"),
      ]),
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
