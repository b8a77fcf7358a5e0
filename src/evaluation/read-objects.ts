import { SourceError } from "../skill/source-error.ts";
import type { SkillSource, VolumeObject, VolumeObjectRequest } from "../skill/source.ts";
import { podLimits } from "../workload/pod/limits.ts";
import { declaresSkill } from "../skill/declares-skill.ts";
import { volumeObjectKey, onlyKeys } from "../kubernetes/volume-object.ts";
import type { ReadObjects } from "../workload/pod/volume-view.ts";
import { yieldToEventLoop } from "./yield-to-event-loop.ts";

/** Concurrent reads of one review: an answer of the API server takes up to ten times its size in memory. */
export const readsAtOnce = 8;

/**
 * Reads the ConfigMaps and Secrets of one pod, at most `readsAtOnce` at a time.
 * @returns by `volumeObjectKey`; the error of an object that could not be read
 * @throws SourceError LIMIT_EXCEEDED as soon as the objects exceed the limits of a pod; TIMEOUT if the signal aborts
 */
export async function readObjects(
  requests: readonly VolumeObjectRequest[],
  source: SkillSource,
  signal: AbortSignal,
): Promise<ReadObjects> {
  const read = new Map<string, VolumeObject | SourceError | undefined>();
  if (requests.length === 0) return read;
  const mounted = { keys: 0, bytes: 0 };
  const waiting = requests.values();
  const reader = async (): Promise<void> => {
    for (const request of waiting) {
      const object = await readOne(request, source, signal);
      read.set(volumeObjectKey(request), object);
      if (object === undefined || object instanceof SourceError) continue;
      mounted.keys += object.files.size;
      for (const file of object.files.values()) mounted.bytes += file.size;
      assertAffordable(mounted);
      if (lookedAt.has(object)) continue;
      // Asking here, object by object, spreads the work: the answer takes a millisecond for some files, is remembered,
      // and finding the skills needs all of them at once.
      for (const file of object.files.values()) declaresSkill(file);
      lookedAt.add(object);
      await yieldToEventLoop(signal);
    }
  };
  await Promise.all(Array.from({ length: Math.min(readsAtOnce, requests.length) }, reader));
  return read;
}

/** Objects whose files were asked whether they are skills. */
const lookedAt = new WeakSet<VolumeObject>();

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
