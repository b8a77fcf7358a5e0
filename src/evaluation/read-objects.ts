import { SourceError } from "../skill/source-error.ts";
import type { SkillSource, VolumeObject, VolumeObjectRequest } from "../skill/source.ts";
import { podLimits } from "../workload/pod/limits.ts";
import { declaresSkill } from "../skill/skill-file.ts";
import { volumeObjectKey, onlyKeys } from "../kubernetes/volume-object.ts";
import type { ReadObjects } from "../workload/pod/volume-view.ts";
import { yieldToEventLoop } from "./yield-to-event-loop.ts";

/** Objects of one review that are read at once: an answer of the API server takes up to ten times its size in memory. */
export const readsAtOnce = 8;

/**
 * Reads the objects of one pod, a few at once, and no more of them than a pod may mount.
 * @returns by `volumeObjectKey`; of what could not be read, the error
 * @throws SourceError LIMIT_EXCEEDED as soon as what was read exceeds the limits of a pod; TIMEOUT where the signal aborts
 */
export async function readObjects(
  requests: readonly VolumeObjectRequest[],
  source: SkillSource,
  signal: AbortSignal,
): Promise<ReadObjects> {
  const read = new Map<string, VolumeObject | SourceError | undefined>();
  const mounted = { keys: 0, bytes: 0 };
  const waiting = requests.values();
  const reader = async (): Promise<void> => {
    for (const request of waiting) {
      const object = await readOne(request, source, signal);
      read.set(volumeObjectKey(request), object);
      if (object === undefined || object instanceof SourceError) continue;
      for (const file of object.files.values()) {
        mounted.keys += 1;
        mounted.bytes += file.size;
      }
      assertAffordable(mounted);
      // Answered here, object by object: it takes a millisecond for some files, and finding the skills asks it of all in one go.
      for (const file of object.files.values()) declaresSkill(file);
      await yieldToEventLoop(signal);
    }
  };
  await Promise.all(Array.from({ length: readsAtOnce }, reader));
  return read;
}

function assertAffordable({ keys, bytes }: { readonly keys: number; readonly bytes: number }): void {
  if (keys <= podLimits.mountedKeys && bytes <= podLimits.mountedBytes) return;
  const most = `${podLimits.mountedKeys} keys or ${podLimits.mountedBytes / 1024 ** 2} MiB`;
  throw new SourceError(
    "LIMIT_EXCEEDED",
    `the containers mount more than ${most} of ConfigMaps and Secrets together; mount fewer, or only the keys that are needed`,
  );
}

async function readOne(
  request: VolumeObjectRequest,
  source: SkillSource,
  signal: AbortSignal,
): Promise<VolumeObject | SourceError | undefined> {
  try {
    const object = await source.read(request, signal);
    return object === undefined ? undefined : onlyKeys(object, request);
  } catch (error) {
    if (error instanceof SourceError) return error;
    throw error;
  }
}
