import type { Way } from "./ways.ts";

/**
 * One object as a running pod has it. `present`: older than the pod; `missing`, `failed`: it cannot be read now; `anew`:
 * made after the pod was, so that the pod may still show files of one that was deleted; `recent`: made in the same
 * second, which may be before it or after.
 */
export type ObjectState = "present" | "missing" | "failed" | "anew" | "recent";

/** The state of an object that is there, by creation timestamps of the API server. */
export function stateByAge(object: string | undefined, pod: string | undefined): ObjectState {
  if (object === undefined || pod === undefined) return "present";
  const later = Date.parse(object) - Date.parse(pod);
  return later > 0 ? "anew" : later === 0 ? "recent" : "present";
}

/** A change of one ConfigMap, as far as it decides whether running containers take it in one step. */
export interface Replacement {
  readonly name: string;
  /** Whether the bytes before it are known: those of a deleted object are not. */
  readonly known: boolean;
}

const listed = (names: readonly string[]): string => {
  const shown = names.length > 3 ? [...names.slice(0, 2), `${names.length - 2} more`] : names;
  return shown
    .map((name) => `ConfigMap ${name}`)
    .join(" and ")
    .replace(/ConfigMap (\d+ more)$/, "$1");
};

/**
 * The reason why running containers would show files of two versions of a skill; undefined if the kubelet swaps all of
 * it in one step. Sufficient, not complete: what a container shows of an earlier version is known to nobody.
 *
 * @param ways those that can put files into the skill's folder
 */
export function obstacleTo(
  { name, known }: Replacement,
  ways: ReadonlySet<Way>,
  stateOf: (name: string) => ObjectState,
): string | undefined {
  const own = [...ways].filter(({ part }) => part.name === name);
  const others = [...new Set([...ways].map(({ part }) => part.name))].filter((other) => other !== name);
  const single = obstacleOfOwn(name, own);
  if (single !== undefined || others.length === 0) return single;
  if (known) return `the skill comes from ${listed([name, ...others])}, which do not change in one step`;
  // One object made anew, beside others that are as the pod was admitted with, is one step all the same.
  const other = others.find((one) => stateOf(one) !== "present");
  if (other === undefined) return undefined;
  return `the skill comes from ${listed([name, ...others])}, and ConfigMap ${other} ${wrong[stateOf(other)]} too since the pod was made`;
}

const wrong: Readonly<Record<ObjectState, string>> = {
  present: "was changed",
  missing: "was deleted",
  failed: "cannot be read and may have been changed",
  anew: "was made anew",
  recent: "may have been made anew",
};

/** The same for the object's own files, whatever others there are. */
export function obstacleOfOwn(name: string, own: readonly Way[]): string | undefined {
  const [first] = own;
  if (first === undefined) return `it is not known how ConfigMap ${name} comes into the skill`;
  const faulty = own.find(({ mount }) => mount.fault !== undefined);
  if (faulty !== undefined) return faulty.mount.fault;
  if (own.some(({ mount }) => mount.subPath !== ""))
    return `a file of ConfigMap ${name} is mounted by subPath, and stays as it is while the container runs`;
  if (own.length > 1)
    return `ConfigMap ${name} is mounted more than once in the skill's folder, and the mounts do not change in one step`;
  return undefined;
}
