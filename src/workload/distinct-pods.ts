import { isFields, type Fields } from "../text/fields.ts";
import type { PodSubject } from "./pod/pod-subject.ts";
import { rootVariables } from "./roots/moving-variables.ts";

/**
 * Leaves the oldest pod of each set of replicas: pods of one template see the same files, and what was made anew since
 * the oldest came may be seen by it in an older version.
 * @param ruleOf equal for pods that are judged by the same rules
 */
export function distinctPods(
  pods: readonly PodSubject[],
  ruleOf: (pod: PodSubject) => string = () => "",
): readonly PodSubject[] {
  const seen = new Map<string, PodSubject>();
  for (const pod of pods) {
    const key = `${ruleOf(pod)} ${filesKey(pod)}`;
    const other = seen.get(key);
    if (other === undefined || (pod.createdAt ?? "") < (other.createdAt ?? "")) seen.set(key, pod);
  }
  return [...seen.values()];
}

/**
 * Identifies the files that a pod's containers see. Volumes go by their place: the API server gives the token's volume
 * another name in each pod.
 */
function filesKey({ name, spec }: PodSubject): string {
  const places = new Map<unknown, number>();
  const volumes = mapFields(spec["volumes"], (volume, place) => {
    places.set(volume["name"], place);
    return { ...volume, name: place };
  });
  const mounts = (list: unknown): unknown =>
    mapFields(list, (mount) => ({ ...mount, name: places.get(mount["name"]) ?? mount["name"] }));
  const containers = [spec["containers"], spec["initContainers"], spec["ephemeralContainers"]].map((list) =>
    mapFields(list, (container) => ({ ...container, volumeMounts: mounts(container["volumeMounts"]) })),
  );
  const files = JSON.stringify(containers);
  const own = isNameInPath(files, containers.flat()) ? name : undefined;
  const { hostPID, shareProcessNamespace, securityContext } = spec;
  return `${JSON.stringify([own, volumes, hostPID, shareProcessNamespace, securityContext])}${files}`;
}

/** Whether a variable may put the pod's own name into a path: such a pod is like no other. */
const isNameInPath = (json: string, containers: readonly unknown[]): boolean =>
  json.includes('"metadata.name"') && (json.includes("$(") || containers.some(movesRoot));

/** Whether the value of a variable that moves a root comes from elsewhere. */
const movesRoot = (container: unknown): boolean =>
  isFields(container) &&
  Array.isArray(container["env"]) &&
  container["env"].some(
    (variable) =>
      isFields(variable) && rootVariables.has(String(variable["name"])) && isFields(variable["valueFrom"]),
  );

/** Replaces the objects of a list. Whatever else there is stays: malformed pods must not be like well-formed ones. */
const mapFields = (list: unknown, replace: (item: Fields, place: number) => unknown): unknown =>
  Array.isArray(list)
    ? list.map((item: unknown, place) => (isFields(item) ? replace(item, place) : item))
    : list;
