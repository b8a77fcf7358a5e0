import { sha256Hex } from "../skill/digest.ts";
import { isFields, type Fields } from "../text/fields.ts";
import { memoizeByObject } from "../text/memoize-by-object.ts";
import type { PodSubject } from "./pod/pod-subject.ts";
import { rootVariables } from "./roots/moving-variables.ts";

/** Characters of specs that are gone through without a pause: some milliseconds. */
const largeBatch = 256 * 1024;
/** Characters that a further pod of a kind counts: comparing it takes some microseconds. */
const knownSize = 256;

/**
 * Leaves the oldest pod of each set of replicas: pods of one template see the same files, and what was made anew since
 * the oldest came may be seen by it in an older version. A spec that several pods share is gone through once.
 * @param ruleOf equal for pods that are judged by the same rules
 * @param yieldToEventLoop lets other work run; its error ends the search
 */
export async function distinctPods(
  pods: readonly PodSubject[],
  ruleOf: (pod: PodSubject) => string,
  yieldToEventLoop: () => Promise<void>,
): Promise<readonly PodSubject[]> {
  const seen = new Map<string, PodSubject>();
  let batch = 0;
  for (const pod of pods) {
    const { size } = filesOf(pod.spec);
    const key = `${filesKey(pod)} ${ruleOf(pod)}`;
    const other = seen.get(key);
    if (other === undefined || (pod.createdAt ?? "") < (other.createdAt ?? "")) seen.set(key, pod);
    batch += other === undefined ? size : knownSize;
    if (batch < largeBatch) continue;
    await yieldToEventLoop();
    batch = 0;
  }
  return [...seen.values()];
}

/** Identifies the files that a pod's containers see. */
export function filesKey({ name, spec }: PodSubject): string {
  const { digest, holdsName } = filesOf(spec);
  return `${digest} ${holdsName ? name : ""}`;
}

interface Files {
  readonly digest: string;
  /** Characters that were gone through. */
  readonly size: number;
  /** Whether a path holds the pod's own name. */
  readonly holdsName: boolean;
}

/**
 * Identifies the files that a pod's containers see, but for its own name. Volumes go by their place: the API server
 * gives the token's volume another name in each pod.
 */
const filesOf = memoizeByObject((spec: Fields): Files => {
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
  const { hostPID, shareProcessNamespace, securityContext } = spec;
  const files = JSON.stringify(containers);
  const all = `${JSON.stringify([volumes, hostPID, shareProcessNamespace, securityContext])}${files}`;
  return {
    digest: sha256Hex(all),
    size: all.length,
    holdsName: isNameInPath(files, containers.flat()),
  };
});

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
