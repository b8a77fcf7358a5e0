import type { StoredVersion } from "./ports.ts";
import type { Shape } from "./shape.ts";
import { versionNumber, type StoredPod } from "./stored-pod.ts";

/**
 * The pods of a shape, those included that went while it waited to be judged, that can have read a version; undefined:
 * what is stored now.
 * @param end number of the version that replaced it; undefined if none has
 */
export function readersOf(
  { pods, gone }: Shape,
  version: StoredVersion | undefined,
  end: bigint | undefined,
): readonly StoredPod[] {
  const begin = version === undefined ? 0n : versionNumber(version.resourceVersion);
  const left = [...gone.values()].filter(({ until }) => until === undefined || until > begin);
  return [...pods.values(), ...left].filter(({ since }) => end === undefined || since < end);
}

/** Whether pods of a shape came while a version was in force, or later. */
export const cameUnder = ({ pods, gone }: Shape, { resourceVersion }: StoredVersion): boolean =>
  [...pods.values(), ...gone.values()].some(({ since }) => since > versionNumber(resourceVersion));
